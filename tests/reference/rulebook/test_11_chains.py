"""Rule 11: collateral on several chains, and what it costs that value comes over late or never."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stresslab.contagion.outcomes import measure
from stresslab.core.errors import InvariantError
from stresslab.core.ledger import CHAINS, EXTERNAL
from stresslab.core.random import Streams, normals, uniforms
from tests.markets import (
    USD,
    accepted,
    changed,
    drawn,
    fall,
    lively,
    market,
    model_of,
    people,
    rows,
    run,
    state,
    sums,
    tables_of,
)

COARSE = [95, 90, 80, 72, 66, 58, 50]
PATH = [97, 95, 93, 91, 89, 87, 86, 84, 83, 81, 80, 79, 77, 76, 74, 73, 71, 70, 68, 66]


def venue(accounts, chain, share=0.5, *, whole=True, **changes: Any) -> dict[str, Any]:
    """Return a market of one perpetual; the accounts keep a share of their wealth on a chain."""
    group = {**people(*accounts), "reserves": {"far": share}}
    taken = sum(lots.get("BTC", 0) for _, lots in accounts)
    scenario = market(
        {"one": group, "rest": people((1e7, {"BTC": -taken}))},
        margin__chains={"far": {"delay_seconds": 3.0, **chain}}, **changes,
    )  # fmt: skip
    if whole:
        scenario["margin"]["cross"]["closure"] = {"kind": "whole"}
    return scenario


def at_prices(scenario, usd):
    """Return the model of a scenario whose index follows prices, one a step from the second on."""
    model = model_of({**scenario, "duration_seconds": float(len(usd) + 1)})
    model.world.index[2:, 0] = [round(100 * p) for p in usd]
    return model


def crowd(delay, **chain):
    """Return sixty holders of different thickness, half of their wealth on a chain."""
    people_ = [(700.0 + 25 * k, {"BTC": 20 + k % 3}) for k in range(60)]
    return venue(people_, {"delay_seconds": delay, **chain})


def transfers(tables, *columns):
    return rows(tables, "chain_transfers", *columns)


# -- the decisive tests ----------------------------------------------------------------------------


def without_chains(scenario):
    """Return the same market with all of the wealth on the venue's chain."""
    plain = changed(scenario)
    del plain["margin"]["chains"]
    for group in plain["traders"].values():
        if "reserves" in group:
            group["free_wallet"] = sum(group.pop("reserves").values())
    return plain


@pytest.mark.parametrize(("book", "cross_share"), [("impact", 1.0), ("limit_order_book", 0.5)])
def test_without_delay_a_market_is_that_of_one_chain_exactly(book, cross_share):
    """Every row of every table but what was sent, and how often the ledger wrote."""
    story = lively(
        book, cross_share, duration_seconds=25.0, market__shocks={"s": fall(0.3, at=10.0)}
    )
    story["margin"]["chains"] = {
        "near": {"haircut": 0.3, "in_flight_haircut": 0.2, "delay_seconds": 0.0,
                 "delay_sigma": 1.0, "congestion": 0.5},
        "far": {"delay_seconds": 0.0},
    }  # fmt: skip
    for name in ("speculators", "noise", "hedgers"):
        story["traders"][name]["reserves"] = {"near": 0.2, "far": 0.15}
    crossed, plain = run(story), run(without_chains(story))
    assert crossed["liquidations"]["account"].size > 10
    assert transfers(crossed, "outcome") and set(transfers(crossed, "outcome")) == {("arrived",)}
    crossed["totals"].pop("postings"), plain["totals"].pop("postings")
    for name in set(crossed) - {"chain_transfers"}:
        for column, values in plain[name].items():
            assert crossed[name][column].tolist() == values.tolist(), (name, column)


def test_transfers_that_take_no_time_but_may_fail_equal_one_chain_while_none_fails():
    """Nothing counts before it arrives, so every pool is saved by sending alone, in every round."""
    story = changed(
        crowd(0.0, failure_probability=1e-12), liquidation__feedback="market", market__book={
            "kind": "impact", "law": {"kind": "linear", "depth_usd": 1500.0}},
        market__mark={"rule": "mid"},
    )  # fmt: skip
    crossed = tables_of(at_prices(story, PATH))
    plain = tables_of(at_prices(without_chains(story), PATH))
    assert plain["liquidations"]["round"].max() > 0, "some breach in the rounds of others"
    assert len(transfers(crossed, "outcome")) > 30
    for name in ("liquidations", "forced_orders", "waterfall", "path", "breach_legs"):
        for column, values in plain[name].items():
            assert crossed[name][column].tolist() == values.tolist(), (name, column)
    assert (
        crossed["accounts"]["final_equity_micro_usd"].tolist()
        == plain["accounts"]["final_equity_micro_usd"].tolist()
    )


def test_damage_is_monotone_in_the_delay():
    """Whoever a shorter delay does not save, a longer one does not either: the sets are nested."""
    delays = (0.0, 1.0, 3.0, 6.0, 10.0, 100.0)
    found = [tables_of(at_prices(crowd(d, delay_sigma=0.8), PATH)) for d in delays]
    liquidated = [set(tables["liquidations"]["account"].tolist()) for tables in found]
    for shorter, longer in itertools.pairwise(liquidated):
        assert shorter <= longer
    assert len({len(accounts) for accounts in liquidated}) >= 4, "and the delay matters"
    notional = [measure(tables)["forced_notional_usd"] for tables in found]
    late = [measure(tables)["n_liquidations_late"] for tables in found]
    assert notional == sorted(notional) and notional[0] < notional[-1]
    assert late[0] == 0 and late == sorted(late) and late[-1] > 10
    steps = [dict(rows(tables, "liquidations", "account", "step")) for tables in found]
    for sooner, later in itertools.pairwise(steps):
        assert all(later[account] <= step for account, step in sooner.items())


def test_liquidations_by_lateness_alone_are_counted_to_the_micro_dollar():
    """At 95 USD three wallets have 50 for 47.50 and are called; at 93 they have 30 for 46.50.

    A sent the 16.50 that are missing; B sent as much, of which a micro-USD went for the fee; C has
    nothing to send. Only A is closed for no other reason than that a transfer takes time.
    """
    group, share = people((116.5, {"BTC": 10})), 16.5 / 116.5
    story = market(
        {"a": {**group, "reserves": {"far": share}}, "b": {**group, "reserves": {"dear": share}},
         "c": people((100.0, {"BTC": 10})), "rest": people((1e6, {"BTC": -30}))},
        margin__chains={"far": {"delay_seconds": 9.0},
                        "dear": {"delay_seconds": 9.0, "fee_usd": 1e-6}},
    )  # fmt: skip
    tables = tables_of(at_prices(story, [95, 93]))
    assert transfers(tables, "account", "sent_step") == [(0, 2), (1_000_000, 2)]
    assert rows(tables, "liquidations", "account", "step", "equity_micro_usd",
                "maintenance_micro_usd") == [
        (k * 1_000_000, 3, 30 * USD, 46_500_000) for k in range(3)]  # fmt: skip
    assert rows(tables, "late_value", "liquidation", "in_flight_micro_usd") == [
        (0, 16_500_000), (1, 16_499_999)]  # fmt: skip
    assert measure(tables)["n_liquidations_late"] == 1


def test_no_liquidation_is_late_where_there_is_one_chain():
    tables = run(market(
        {"one": people((100.0, {"BTC": 10})), "short": people((1e6, {"BTC": -10}))},
        market__shocks={"s": fall(0.06)},
    ))  # fmt: skip
    outcomes = measure(tables)
    assert outcomes["n_liquidations_cross"] == 1 and outcomes["n_liquidations_late"] == 0


# -- what counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("haircut", ["0", "0.25", "0.9999999", "1"])
def test_a_reserve_counts_less_its_haircut(haircut):
    """Half of 1,000 USD, rounded down to the micro-USD, for breach and for new orders alike."""
    model = model_of(venue(
        [(1000.0, {"BTC": 10})],
        {"haircut": float(haircut), "in_flight_haircut": float(haircut)},
    ))  # fmt: skip
    counted = math.floor(500 * USD * (1 - Fraction(haircut)))
    assert state(model, 0)[0] == 500 * USD + counted
    most = (500 * USD + counted) // (10 * USD) - 10
    assert accepted(model, 0, most) == most and accepted(model, 0, most + 1) == 0


def test_value_in_flight_counts_by_its_own_haircut():
    """100 USD are at the venue, 100 away: a fifth of a reserve counts and half of what is sent.

    At 93.50 USD 10 lots lost 65 and need 46.75: 55 is called, since 0.8 x 55 is less.
    """
    story = venue(
        [(200.0, {"BTC": 10})], {"haircut": 0.8, "in_flight_haircut": 0.5, "delay_seconds": 2.0}
    )
    model = at_prices(story, [93.5] * 4)
    equity = []
    for _ in range(5):
        model.step()
        equity.append(state(model, 0)[0] // USD)
    assert equity == [100 + 20, 35 + 50, 35 + 50, 35 + 100, 35 + 100]
    model.world.chains.finish(model.log)
    assert transfers({"chain_transfers": model.log.columns("chain_transfers")},
                     "sent_step", "due_step", "amount_micro_usd", "outcome") == [
        (2, 4, 100 * USD, "arrived")]  # fmt: skip


@pytest.mark.parametrize(("ticks", "is_closed"), [(8947, True), (8948, False)])
def test_a_flight_that_counts_decides_a_breach_to_the_tick(ticks, is_closed):
    """100 in the wallet and half of 100 in flight: 150 - 10 (100 - p) against 0.5 p."""
    assert (10 * Fraction(ticks, 100) - 850 < Fraction(ticks, 200)) is is_closed
    story = venue([(200.0, {"BTC": 10})], {"in_flight_haircut": 0.5, "delay_seconds": 50.0})
    tables = tables_of(at_prices(story, [91.5, ticks / 100]))
    assert transfers(tables, "sent_step") == [(2,)]
    assert (tables["liquidations"]["account"].size == 1) is is_closed


# -- time, congestion, fees, failure ---------------------------------------------------------------


def test_the_time_of_a_transfer_is_lognormal_and_drawn_by_account_step_and_chain():
    accounts = [(200.0, {"BTC": 10})] * 40
    model = at_prices(venue(accounts, {"delay_seconds": 7.0, "delay_sigma": 0.6}), [94])
    tables = tables_of(model)
    sent = transfers(tables, "account", "sent_step", "due_step")
    assert len(sent) == 40
    ids = np.arange(40)
    draws = normals(Streams(1, 0)["transfer_time"], ids, 2, 0)
    expected = [2 + math.ceil(7.0 * math.exp(0.6 * z)) for z in draws.tolist()]
    assert [due for _, _, due in sent] == expected
    assert len(set(expected)) > 8


def test_a_burst_of_transfers_is_slower_than_one():
    """2 s x (1 + 0.1 x 5) for five together; a sixth, sent later, meets those still in flight."""
    accounts = [(200.0, {"BTC": 10})] * 5 + [(220.0, {"BTC": 10})]
    story = venue(accounts, {"delay_seconds": 2.0, "congestion": 0.1})
    tables = tables_of(at_prices(story, [95.8, 94.0, 94.0]))
    found = transfers(tables, "account", "sent_step", "due_step")
    assert found[:5] == [(k, 2, 5) for k in range(5)]
    assert found[5:] == [(5, 3, 3 + math.ceil(2 * 1.6))]


def test_fees_leave_the_reserve_for_external_and_the_rest_arrives():
    """3 USD and a permille of 100 USD."""
    story = venue([(200.0, {"BTC": 10})],
                  {"delay_seconds": 1.0, "fee_usd": 3.0, "fee_rate": 0.001})  # fmt: skip
    model = at_prices(story, [95, 95, 95])
    before, external = sums(model), model.world.clearing.house.cash[EXTERNAL]
    tables = tables_of(model)
    assert transfers(tables, "amount_micro_usd", "fee_micro_usd", "outcome") == [
        (96_900_000, 3_100_000, "arrived")]  # fmt: skip
    assert model.world.clearing.house.cash[EXTERNAL] - external == 3_100_000
    assert sums(model) == before
    assert rows(tables, "accounts", "wealth_micro_usd", "final_equity_micro_usd")[0] == (
        200 * USD, (200 - 50) * USD - 3_100_000)  # fmt: skip


def test_a_reserve_that_its_fee_eats_up_is_gone():
    story = venue([(200.0, {"BTC": 10})], {"delay_seconds": 1.0, "fee_usd": 500.0})
    model = at_prices(story, [95, 95, 95])
    tables = tables_of(model)
    assert tables["chain_transfers"]["transfer"].size == 0
    assert model.world.chains.columns.reserve[0, 0] == 0
    assert tables["accounts"]["final_equity_micro_usd"][0] == 50 * USD


def test_a_failed_transfer_returns_to_the_reserve_without_its_fee_and_is_sent_again():
    story = venue([(200.0, {"BTC": 10})] * 30,
                  {"delay_seconds": 1.0, "failure_probability": 0.5, "fee_usd": 1.0})  # fmt: skip
    tables = tables_of(at_prices(story, [95] * 6))
    found = transfers(tables, "account", "sent_step", "amount_micro_usd", "outcome")
    outcomes = [row[3] for row in found]
    assert outcomes.count("failed") > 10 and outcomes.count("arrived") > 10
    fates = uniforms(Streams(1, 0)["transfer_failure"], np.arange(30), 2, 0) < 0.5
    first = {account: outcome for account, step, _, outcome in found if step == 2}
    assert [first[account] == "failed" for account in range(30)] == fates.tolist()
    for account in range(30):
        mine = [row for row in found if row[0] == account]
        assert [row[2] for row in mine] == [(99 - k) * USD for k in range(len(mine))]
        assert all(row[3] == "failed" for row in mine[:-1])
        assert [row[1] for row in mine] == list(range(2, 2 + len(mine))), "a step each"


# -- deficits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("haircut", "in_flight", "sent", "fund"),
    [(1.0, 1.0, 2, 100), (0.5, 0.5, 3, 0), (1.0, 0.5, 2, 0)],
)
def test_a_deficit_is_paid_from_what_is_pledged_before_the_fund(haircut, in_flight, sent, fund):
    """10 lots fall by 20 USD, so a wallet of 100 owes 100, and as much is on its way.

    What counts, in part or in full, is the venue's to take; what does not is the trader's own.
    """
    story = venue(
        [(200.0, {"BTC": 10})],
        {"haircut": haircut, "in_flight_haircut": in_flight, "delay_seconds": 3.0},
    )
    tables = tables_of(at_prices(story, [95, 80, 80, 80, 80]))
    assert rows(tables, "liquidations", "account", "step") == [(0, 3)]
    assert tables["waterfall"]["fund_micro_usd"].sum() == fund * USD
    assert transfers(tables, "sent_step", "outcome") == [(sent, "arrived" if fund else "seized")]
    assert tables["accounts"]["final_equity_micro_usd"][0] == fund * USD


def test_a_pledged_reserve_is_seized_where_sending_it_fails():
    """A fall to 50 USD beyond the wallet; 100 are pledged, and no transfer ever arrives."""
    story = venue(
        [(200.0, {"BTC": 10})],
        {"haircut": 0.9, "in_flight_haircut": 0.9, "delay_seconds": 0.0,
         "failure_probability": 1.0},
    )  # fmt: skip
    tables = tables_of(at_prices(story, [85, 85]))
    assert rows(tables, "liquidations", "account", "outcome") == [(0, "closed")]
    assert set(transfers(tables, "outcome")) == {("failed",)}
    assert tables["waterfall"]["fund_micro_usd"].sum() == 0
    assert tables["accounts"]["final_equity_micro_usd"][0] == 50 * USD


# -- causes ----------------------------------------------------------------------------------------


def amounts(tables):
    found = rows(tables, "breach_amounts", "liquidation", "cause", "amount_micro_usd")
    return [
        {c: x for n, c, x in found if n == k} for k in range(len(tables["liquidations"]["step"]))
    ]


def test_a_fee_that_eats_what_counts_is_a_cause_of_its_own():
    """At 90.50 USD equity is 5 + 50 and 45.25 are needed: 100 are sent, and 46 of them are the fee.

    What counts falls from 50 to 27, so 32 are left. The price ate 95 less 4.75, the sending 23.
    """
    story = venue(
        [(200.0, {"BTC": 10})],
        {"haircut": 0.5, "in_flight_haircut": 0.5, "delay_seconds": 9.0, "fee_usd": 46.0},
    )
    tables = tables_of(at_prices(story, [90.5]))
    assert amounts(tables) == [{"price": 90_250_000, "bridge": 23 * USD}]
    assert rows(tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
                "maintenance_micro_usd") == [(100 * USD, 32 * USD, 45_250_000)]  # fmt: skip


def test_causes_add_up_while_value_comes_over_and_the_price_falls_on():
    """Arrivals give margin back: negative amounts of the same cause."""
    found = [
        tables_of(at_prices(crowd(4.0, haircut=reserve, in_flight_haircut=flight, delay_sigma=0.5,
                                  fee_usd=20.0), COARSE))
        for reserve, flight in ((0.6, 0.3), (0.5, 0.5))
    ]  # fmt: skip
    bridged = [row["bridge"] for tables in found for row in amounts(tables) if "bridge" in row]
    assert min(bridged) < 0 < max(bridged)
    for tables in found:
        lost = rows(tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
                    "maintenance_micro_usd")  # fmt: skip
        sums_ = [sum(row.values()) for row in amounts(tables)]
        assert sums_ == [before - (equity - need) for before, equity, need in lost]


def test_the_ledger_and_the_accounts_own_columns_are_compared():
    model = at_prices(crowd(4.0), COARSE)
    for _ in range(4):
        model.step()
    assert model.world.chains.columns.in_flight.sum() > 0
    model.world.chains.check(4, "test")
    model.world.chains.columns.reserve[0, 0] += 1
    with pytest.raises(InvariantError, match="accounts own"):
        model.step()
    model.world.chains.columns.reserve[0, 0] -= 1
    model.world.chains.columns.in_flight[0, 0] += 1
    model.world.clearing.house.cash[CHAINS] += 1
    with pytest.raises(InvariantError, match="transfers carry"):
        model.world.chains.check(4, "test")


def test_drawn_traders_size_positions_by_what_is_at_the_venue():
    """A group that keeps half of its wealth away opens half, as one whose wallet is half free."""
    group = {"leverage": {"median": 4.0}, "holdings": {"kind": "directional", "share_long": 1.0}}
    away = {"some": drawn("passive", 5, reserves={"far": 0.5}, **group),
            "rest": drawn("passive", 1, 1e6, is_counterparty=True)}  # fmt: skip
    story = market(away, margin__chains={"far": {"delay_seconds": 5.0}})
    held = [model_of(s).world.clearing.accounts.position[0] for s in (story, without_chains(story))]
    assert held[0].tolist() == held[1].tolist() and held[0][:5].min() > 0
