"""Why a pool is in breach: each cause alone, all of them together, and a journal that lies."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InvariantError
from stresslab.core.events import ISOLATED
from stresslab.core.ledger import FEE, FUNDING, touch
from stresslab.liquidation.judgement import explain
from tests.markets import (
    ORDER_BOOK,
    USD,
    buy_at_market,
    drawn,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)

SHORT = people((1e6, {"BTC": -10}))


def causes(tables, liquidation=0):
    """Return {(cause, asset): USD eaten} of one breach."""
    found = rows(tables, "breach_amounts", "liquidation", "cause", "asset", "amount_micro_usd")
    return {(c, a): x / USD for number, c, a, x in found if number == liquidation}


def excess(tables, liquidation=0):
    """Return equity less maintenance at the last judgement before and at the breach, USD."""
    before, equity, maintenance = rows(
        tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
        "maintenance_micro_usd",
    )[liquidation]  # fmt: skip
    return before / USD, (equity - maintenance) / USD


def test_a_price_alone():
    """A fall by 6 % takes 60 USD of equity and 3 USD of requirement."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10})), "short": SHORT}, market__shocks={"s": fall(0.06)}
    )
    tables = run(scenario)
    assert causes(tables) == {("price", 0): 57}
    assert excess(tables) == (50, -7)


def test_prices_of_two_assets_are_told_apart():
    scenario = market(
        {"one": people((300.0, {"BTC": 10, "ETH": 20})),
         "short": people((1e6, {"BTC": -10, "ETH": -20}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.02), "t": fall(0.08, "ETH")},
    )  # fmt: skip
    tables = run(scenario)
    assert causes(tables) == {("price", 0): 19, ("price", 1): 152}
    assert excess(tables) == (150, -21)


def test_lots_that_adl_gave_a_silo_explain_nothing_of_the_wallet():
    """Both prices move by 10 ticks; the wallet's 10 lots lose 1 USD and need 0.05 less."""
    held = {"one": people((1e3, {"ETH": 10})), "rest": people((1e4, {"ETH": -10}))}
    model = model_of(market(held, assets=("BTC", "ETH")))
    c, before = model.world.clearing, model.world.board.ticks.copy()
    c.accounts.position[0, 0], c.accounts.mode[0, 0] = -7, ISOLATED
    slot = touch(c.accounts, c.journal, 0)
    c.accounts.position[0, 0] += 3
    c.journal.adl_lots[slot, 0] = 3
    marks = before + np.array([10, -10])
    why = explain(c.accounts, c.tables, c.tables, c.journal, before, marks, np.array([0]))
    assert why.by_price.tolist() == [[0, 950_000]]
    assert not why.by_reason.any()


def test_a_tier_jump_is_the_price_moves_doing():
    """A rise by 12 % costs a short 120 USD, and the next bracket, from 1,050 USD, 8 more."""
    tiers = [
        {"floor_usd": 0.0, "maintenance_rate": 0.02, "max_leverage": 20.0},
        {"floor_usd": 1050.0, "maintenance_rate": 0.10, "max_leverage": 5.0},
    ]
    scenario = market(
        {"one": people((145.0, {"BTC": -10})), "long": people((1e6, {"BTC": 10}))},
        margin__brackets={"BTC": tiers},
    )
    model = model_of(scenario)
    model.world.index[2:] = 11_200
    tables = tables_of(model)
    assert causes(tables) == {("price", 0): 128}
    assert excess(tables) == (125, -3)


def test_funding_alone():
    """1 % of 1,000 USD from an account that has 5 USD to spare."""
    scenario = market(
        {"one": people((55.0, {"BTC": 10})), "short": SHORT},
        market__funding={"interval_seconds": 2.0, "interest_rate": 0.01, "clamp": 1.0},
        duration_seconds=3.0,
    )
    tables = run(scenario)
    assert causes(tables) == {("funding", -1): 10}
    assert excess(tables) == (5, -5)
    assert tables["liquidations"]["step"].tolist() == [3], "judged in the step after the payment"


def test_fees_that_eat_more_than_a_sale_releases():
    """Half of 10 lots sold at a fee of 5 %: 25 USD paid, 10 of requirement released."""
    scenario = market(
        {"one": people((25.0, {"BTC": 10})), "short": SHORT},
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.02, "max_leverage": 10.0}]
        },
        market__fees={"maker_rate": 0.0, "taker_rate": 0.05},
    )
    tables = tables_of(scripted(scenario, {2: [buy_at_market(0, -5)]}))
    assert causes(tables) == {("fees", -1): 25, ("own_execution", -1): -10}
    assert excess(tables) == (5, -10)


def test_adl_alone():
    """A hedged winner gives 170 of its profit and is left with nothing: that is ADL, no price."""
    rows_ = [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 10.0}]
    scenario = market(
        {
            "long": people((100.0, {"BTC": 10})),
            "hedged": people((170.0, {"BTC": -10, "ETH": 10})),
            "rich": people((1e6, {"ETH": -10})),
        },
        assets=("BTC", "ETH"),
        margin__brackets=dict.fromkeys(("BTC", "ETH"), rows_),
        market__shocks={"s": fall(0.3, "BTC", "ETH")},
        liquidation__insurance_fund_usd=0.0,
    )
    tables = run(scenario)
    assert rows(tables, "liquidations", "account", "step") == [(0, 2), (1_000_000, 3)]
    assert causes(tables, 1) == {("adl", -1): 170}
    assert excess(tables, 1) == (100, -70)
    assert tables["adl"]["loss_micro_usd"].tolist()[0] == 170 * USD


def test_lots_taken_by_adl_are_charged_to_adl_and_their_requirement_to_the_account():
    """The winner of open lots loses its hedge: what it pays is ADL's, what it frees its own."""
    scenario = market(
        {
            "long": people((100.0, {"BTC": 10})),
            "hedged": people((520.0, {"BTC": -10, "ETH": 50})),
            "rich": people((1e6, {"ETH": -50})),
        },
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.3), "t": fall(0.1, "ETH")},
        market__book=ORDER_BOOK,
        liquidation__feedback="market",
        liquidation__insurance_fund_usd=0.0,
        duration_seconds=3.0,
    )
    tables = run(scenario)
    assert rows(tables, "adl", "account", "lots", "loss_micro_usd") == [(1_000_000, 10, 200 * USD)]
    # it frees the 35 USD that its short of 700 USD required
    assert causes(tables, 1) == {("adl", -1): 200, ("own_execution", -1): -35}


def test_a_socialised_loss_is_a_transfer():
    scenario = market(
        {
            "long": people((300.0, {"BTC": 30})),
            "short": people((1e4, {"BTC": -30})),
            "other": people((51.0, {"ETH": 10}), (1e4, {"ETH": -10})),
        },
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.6)},
        liquidation__insurance_fund_usd=0.0,
        liquidation__adl=False,
    )
    tables = run(scenario)
    found = rows(tables, "liquidations", "account", "step")
    assert found == [(0, 2), (2_000_000, 3)]
    ((cause, amount),) = causes(tables, 1).items()
    share = dict(rows(tables, "socialised", "account", "loss_micro_usd"))[2_000_000]
    assert cause == ("transfer", -1) and amount == share / USD > 1


def test_what_an_earlier_judgement_has_seen_is_not_counted_again():
    """A sale with its fee in step 1, funding in step 2, a fall in step 4: the fall alone did it."""
    scenario = market(
        {"one": people((200.0, {"BTC": 15})), "short": people((1e6, {"BTC": -15}))},
        market__fees={"maker_rate": 0.0, "taker_rate": 0.05},
        market__funding={"interval_seconds": 2.0, "interest_rate": 0.01, "clamp": 1.0},
        market__shocks={"s": fall(0.14, at=4.0)},
    )
    tables = tables_of(scripted(scenario, {1: [buy_at_market(0, -5)]}))
    assert causes(tables) == {("price", 0): 133}
    assert excess(tables) == (115, -18)  # 200 - 25 of fee - 10 of funding - 50 of maintenance


@pytest.mark.parametrize(("reason", "off"), [(FEE, 1), (FUNDING, -1)])
def test_a_journal_that_is_one_unit_off_stops_the_run(reason, off):
    """Given a breach in this step, when the journal claims a posting that never was."""
    scenario = market(
        {"safe": people((1e3, {})), "one": people((100.0, {"BTC": 10})), "short": SHORT},
        market__shocks={"s": fall(0.06, at=1.0)},
    )
    model = model_of(scenario)
    c = model.world.clearing
    slot = touch(c.accounts, c.journal, 1)
    c.journal.amount[slot, 0, reason] += off
    with pytest.raises(InvariantError) as caught:
        model.step()
    assert str(caught.value) == (
        f"account 1000000, pool 0: causes add up to {57 * USD - off} micro-USD, the ledger to "
        f"{57 * USD}"
    )


def test_a_position_that_the_journal_remembers_wrongly_stops_the_run():
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "short": SHORT},
        market__shocks={"s": fall(0.06, at=1.0)},
    )
    model = model_of(scenario)
    c = model.world.clearing
    slot = touch(c.accounts, c.journal, 0)
    c.journal.cash[slot, 1] -= 1
    with pytest.raises(InvariantError, match=r"account 0, pool 1: causes add up to 57000000 micro"):
        model.step()


def test_the_causes_of_every_breach_of_a_lively_market_add_up_to_the_unit():
    """Isolated and cross, stops, top-ups, fees, funding, deficits: nothing is left unexplained."""
    scenario = market(
        {
            "makers": drawn("market_maker", 6, 30_000.0, leverage={"median": 5.0},
                            holdings={"kind": "flat"}, seconds_between_turns=1.0),
            "noise": drawn("noise", 20, 3000.0, seconds_between_turns=2.0),
            "crowd": drawn("leveraged_speculator", 80, 2000.0,
                           leverage={"median": 6.0, "sigma": 0.5},
                           holdings={"kind": "directional", "number_weights": [1, 1],
                                     "share_long": 0.7},
                           margin_mode={"kind": "fixed_share", "cross_share": 0.5},
                           parameters={"exit_probability": 0.2, "entry_probability": 1.0,
                                       "reentry_seconds": 1.0},
                           seconds_between_turns=2.0),
            "house": drawn("passive", 2, 20_000.0, leverage={"median": 8.0}, is_counterparty=True),
        },
        assets=("BTC", "ETH"),
        duration_seconds=30.0,
        market__book=ORDER_BOOK,
        market__mark={"rule": "mid"},
        market__index={"kind": "brownian", "daily_volatility": 0.5, "correlation": 0.5},
        market__fees={"maker_rate": 0.0002, "taker_rate": 0.0005},
        market__funding={"interval_seconds": 5.0, "interest_rate": 0.01, "clamp": 0.01},
        market__shocks={"s": fall(0.22, at=10.0)},
        liquidation__feedback="market",
        liquidation__insurance_fund_usd=100.0,
        margin__isolated__penalty_rate=0.01,
    )  # fmt: skip
    tables = run(scenario)
    n = len(tables["liquidations"]["account"])
    assert n > 15
    kinds = {c for k in range(n) for c, _ in causes(tables, k)}
    assert {"price", "funding"} <= kinds
    eaten = [0] * n
    for number, amount in rows(tables, "breach_amounts", "liquidation", "amount_micro_usd"):
        eaten[number] += amount
    changes = rows(
        tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
        "maintenance_micro_usd",
    )  # fmt: skip
    assert eaten == [before - (equity - need) for before, equity, need in changes]
    assert all(equity < need for _, equity, need in changes)


@pytest.mark.parametrize(("lots", "more"), [(1, 0), (10_000, 3)])
def test_a_hedge_that_turns_over_is_explained_along_the_way(lots, more):
    """A long of 2,000 USD falls by 199.80, its hedge of 1,900 rises by 189.81, under scenarios.

    They ask 0.8 x 18 % of the net and 1.5 % of each leg. The net goes from 100 to -289.61, so legs
    free margin for the first 100 / 389.61 of the way and ask for more on the rest: each its own
    move times (1 - 200 / 389.61) x 0.144 (Aumann and Shapley's values of a straight path). In small
    lots, of one micro-USD a tick, amounts are odd, and the engine's own check is to the unit.
    """
    held = {"BTC": 20 * lots + more, "ETH": -19 * lots - more}
    books = people((450.0, held), (1e6, {name: -size for name, size in held.items()}))
    scenario = market(
        {"one": books},
        assets=("BTC", "ETH"),
        margin__portfolio={"classes": {"majors": ["BTC", "ETH"]}},
        margin__cross__closure={"kind": "least_common_share"},
    )
    for name in held:
        scenario["assets"][name]["lot_size"] = 1 / lots
    model = model_of(scenario)
    model.world.index[2:] = 9001, 10_999
    tables = tables_of(model)

    turned = 0.144 * (1 - 200 / 389.61)
    found = causes(tables)
    piece = 0.144 * 389.61 / 1024  # what the piece with the kink asks for
    assert found["price", 0] == pytest.approx((1 - 0.015 + turned) * 199.80, abs=piece)
    assert found["price", 1] == pytest.approx((1 + 0.015 + turned) * 189.81, abs=piece)
    before, after = excess(tables)
    assert before == pytest.approx(450 - (0.144 * 100 + 0.015 * 3900), abs=0.01)
    assert after == pytest.approx(60.39 - (0.144 * 289.61 + 0.015 * 3890.01), abs=0.01)
    assert sum(found.values()) == pytest.approx(before - after, abs=1e-6)


def test_a_coin_that_falls_frees_its_own_haircut():
    """Three coins beside a book of 10 BTC lose 270 of 300 USD, and need 6 instead of 60."""
    scenario = market(
        {"one": people((400.0, {"BTC": 10, "USDX": 3})), "short": SHORT},
        assets=("BTC", "USDX"),
        margin__portfolio={"classes": {"majors": ["BTC"]}},
        margin__cross__closure={"kind": "least_common_share"},
        margin__collateral={"USDX": {"haircut": 0.2}},
        market__shocks={"s": fall(0.9, "USDX")},
    )
    scenario["assets"]["USDX"]["kind"] = "spot"
    del scenario["margin"]["brackets"]["USDX"]
    tables = run(scenario)
    assert causes(tables) == {("price", 1): 270 - 54}
    assert excess(tables) == (400 - (144 + 15 + 60), 130 - (144 + 15 + 6))
