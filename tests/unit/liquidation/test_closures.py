"""What a breached pool must close: whole or the least, in rounds, within the engine's capacity."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from stresslab.core.columns import LIMIT
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    TIERS,
    UNIT,
    USD,
    Ask,
    bracket_margin,
    changed,
    fall,
    market,
    one_leg,
    people,
    rows,
    run,
    scripted,
    tables_of,
)


def restored(equity: int, held: int, closed: int, mark: int, *, fee, penalty, target) -> bool:
    """Tell whether closing so many lots at the mark brings the pool to its target."""
    notional = closed * mark * UNIT
    left = equity - math.ceil(notional * Fraction(fee)) - math.ceil(notional * Fraction(penalty))
    return bracket_margin((held - closed) * mark * UNIT) <= math.floor(left * Fraction(target))


@pytest.mark.parametrize(
    ("lots", "wealth", "size", "fee", "penalty", "target"),
    [
        (1000, 11_000.0, 0.045, "0", "0", "1"),
        (1000, 11_000.0, 0.05, "0.0005", "0.005", "0.9"),
        (337, 3500.0, 0.05, "0.001", "0.0125", "0.75"),
        (15, 160.0, 0.08, "0", "0.005", "0.9"),
        (5000, 60_000.0, 0.047, "0.0005", "0.005", "0.5"),
    ],
)
def test_cross_closes_the_fewest_lots_that_restore_its_buffer(
    lots, wealth, size, fee, penalty, target
):
    """At zero impact: the lots closed are enough, and one lot less would not be."""
    scenario = one_leg(
        lots, wealth, size, tiers=TIERS,
        margin__cross__penalty_rate=float(penalty),
        market__fees={"maker_rate": 0.0, "taker_rate": float(fee)},
        liquidation__liquidation_target=float(target),
    )  # fmt: skip
    tables = run(scenario)
    found = rows(tables, "forced_orders", "mark_ticks", "lots", "filled_lots")
    ((mark, ordered, filled),) = found
    closed = -filled
    equity = int(wealth * USD) + lots * (mark - TICKS) * UNIT
    terms = {"fee": fee, "penalty": penalty, "target": target}
    assert ordered == filled and 1 < closed < lots
    assert restored(equity, lots, closed, mark, **terms)
    assert not restored(equity, lots, closed - 1, mark, **terms)
    assert tables["liquidations"]["outcome"].tolist() == ["restored"]


def test_a_short_closes_by_buying_the_least():
    """100 BTC long against 300 ETH short: BTC falls by 10 %, and the larger leg is the short."""
    held = {"BTC": 100, "ETH": -300}
    scenario = market(
        {"one": people((2800.0, held)), "rich": people((1e9, {"BTC": -100, "ETH": 300}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.1)},
        liquidation__liquidation_target=1.0,
    )
    tables = run(scenario)
    assert rows(tables, "forced_orders", "asset", "filled_lots") == [(1, 30)]
    # equity is 1,800 USD, maintenance 450 + 1,500: the 150 too much are 30 lots of 5 USD each


TWO = {"BTC": 10, "ETH": 20}
RICH = people((1e6, {"BTC": -10, "ETH": -20}))


def falling(mode: str, size: float, wealth: float = 300.0, **changes):
    """Return the market of an account with two long legs at 10x, both falling."""
    return market(
        {"one": people((wealth, TWO), mode=mode), "rich": RICH},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(size, "BTC", "ETH")},
        **changes,
    )


def orders(tables):
    return rows(tables, "forced_orders", "step", "round", "asset", "filled_lots")


def test_isolated_closes_each_position_whole():
    assert orders(run(falling("isolated", 0.06))) == [(2, 1, 0, -10), (2, 1, 1, -20)]


def test_cross_starts_with_the_leg_of_largest_maintenance():
    assert [row[2] for row in orders(run(falling("cross", 0.06)))] == [1]


def test_ties_of_legs_go_to_the_first_asset():
    even = {"BTC": 10, "ETH": 10}
    scenario = changed(
        falling("cross", 0.06, wealth=200.0),
        traders__one=people((200.0, even)),
        traders__rich=people((1e6, {"BTC": -10, "ETH": -10})),
    )
    assert [row[2] for row in orders(run(scenario))] == [0]


def test_cross_goes_leg_by_leg_when_one_is_not_enough():
    """At -9.9 %, 3 USD of equity bear no position that 1 lot would not break: all goes."""
    tables = run(falling("cross", 0.099))
    assert orders(tables) == [(2, 1, 1, -20), (2, 2, 0, -10)]
    assert tables["totals"]["rounds"].tolist() == [0, 2, 0, 0]
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]


def test_closure_is_an_attribute_of_the_pool_and_not_of_the_mode():
    whole = run(falling("cross", 0.06, margin__cross__closure={"kind": "whole"}))
    assert orders(whole) == [(2, 1, 0, -10), (2, 1, 1, -20)]
    least = run(falling("isolated", 0.06, margin__isolated__closure={"kind": "least_to_restore"}))
    closed = [lots for *_, lots in orders(least)]
    assert -10 < closed[0] < 0 and -20 < closed[1] < 0


@pytest.mark.parametrize(("mode", "rate"), [("isolated", 0.0125), ("cross", 0.005)])
def test_the_penalty_is_the_modes_share_of_what_was_closed_and_goes_to_the_fund(mode, rate):
    rates = {"margin__isolated__penalty_rate": 0.0125, "margin__cross__penalty_rate": 0.005}
    tables = run(falling(mode, 0.06, **rates, liquidation__insurance_fund_usd=7.0))
    found = rows(tables, "forced_orders", "cash_micro_usd", "penalty_micro_usd")
    assert found and all(p == math.ceil(cash * Fraction(str(rate))) for cash, p in found)
    fund = tables["totals"]["insurance_fund_micro_usd"].tolist()
    total = sum(p for _, p in found)
    assert total > 0 and fund == [7 * USD, *[7 * USD + total] * 3]
    assert tables["accounts"]["penalties_micro_usd"].tolist() == [total, 0]


def test_fee_and_penalty_take_what_is_left_and_never_make_a_deficit():
    """At -9.5 % a silo of 100 USD holds 5; fee and penalty ask for 4.5 and 45."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        margin__isolated__penalty_rate=0.05,
        market__fees={"maker_rate": 0.0, "taker_rate": 0.005},
        market__shocks={"s": fall(0.095)},
    )
    tables = run(scenario)
    ((fee, penalty),) = rows(tables, "forced_orders", "fee_micro_usd", "penalty_micro_usd")
    assert (fee, penalty) == (4_525_000, 475_000)
    assert len(tables["waterfall"]["step"]) == 0
    assert tables["accounts"]["final_equity_micro_usd"].tolist()[0] == 0
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]


def test_a_fill_below_bankruptcy_pays_neither_fee_nor_penalty():
    scenario = falling("isolated", 0.2, margin__isolated__penalty_rate=0.05)
    tables = run(changed(scenario, market__fees={"maker_rate": 0.0, "taker_rate": 0.005}))
    assert rows(tables, "forced_orders", "fee_micro_usd", "penalty_micro_usd") == [(0, 0)] * 2
    assert len(tables["waterfall"]["step"]) == 2


def test_a_round_without_any_fill_ends_the_step():
    """Given an empty order book, the order is tried once a step and the spell stays open."""
    tables = run(falling("isolated", 0.06, market__book=ORDER_BOOK, liquidation__feedback="market"))
    assert tables["totals"]["rounds"].tolist() == [0, 1, 1, 1]
    assert orders(tables) == [(step, 1, a, 0) for step in (2, 3, 4) for a in (0, 1)]
    assert tables["liquidations"]["outcome"].tolist() == ["open", "open"]


def test_rounds_per_step_leave_the_rest_for_the_next_step():
    tables = run(falling("cross", 0.099, liquidation__rounds_per_step=1))
    assert orders(tables) == [(2, 1, 1, -20), (3, 1, 0, -10)]
    assert tables["totals"]["rounds"].tolist() == [0, 1, 1, 0]
    assert tables["liquidations"]["end_step"].tolist() == [3]


def test_a_limited_engine_serves_the_lowest_margin_ratio_first():
    """Three silos in breach: the one with 70 USD of margin is lowest, then 80, then 90."""
    longs = people(*[(wealth, {"BTC": 10}) for wealth in (90.0, 70.0, 80.0)], mode="isolated")
    scenario = market(
        {"longs": longs, "rich": people((1e6, {"BTC": -30}))},
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__shocks={"s": fall(0.05)},
        liquidation__pools_per_round=1,
    )
    served = rows(run(scenario), "forced_orders", "step", "round", "account")
    assert served == [(2, 1, 1), (2, 2, 2), (2, 3, 0)]
    two = rows(run(changed(scenario, liquidation__pools_per_round=2)), "forced_orders", "account")
    assert sorted(two[:2]) == [(1,), (2,)] and two[2:] == [(0,)]


# -- resting orders of a pool that is closed ------------------------------------------------------


def resting(mode: str, feedback: str = "market"):
    """Return the log of a market in which a breached account has bids of its own in both books.

    Account 0 is long 10 BTC and bids for 5 more of each asset close to the price; account 1 bids
    for 10 BTC at 90 USD. The index, which is the mark, falls by 5.5 %.
    """
    scenario = market(
        {"one": people((300.0, {"BTC": 10}), mode=mode), "rich": people((1e6, {"BTC": -10}))},
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.055 if mode == "isolated" else 0.28)},
        margin__allotment="initial_margin",
        margin__cross__closure={"kind": "whole"},
        liquidation__feedback=feedback,
    )
    bids = [Ask(0, 5, 9990, LIMIT, asset) for asset in (0, 1)] + [Ask(1, 10, 9000)]
    return tables_of(scripted(scenario, {1: bids}))


@pytest.mark.parametrize(("mode", "cancelled"), [("isolated", 1), ("cross", 2)])
def test_resting_orders_are_cancelled_before_forced_ones_walk_the_book(mode, cancelled):
    """So nobody's forced sale meets its own bid; a silo withdraws from its own market only."""
    tables = resting(mode)
    found = rows(tables, "forced_orders", "account", "filled_lots", "cash_micro_usd")
    assert found == [(0, -10, 10 * 9000 * UNIT)]
    assert tables["counts"]["cancelled"].tolist() == [cancelled]
    assert tables["counts"]["fills"].tolist() == [1], "the forced order's"
    best = rows(tables, "path", "step", "asset", "best_bid_ticks")
    assert best[:2] == [(1, 0, 9990), (1, 1, 9990)]
    assert best[2:4] == [(2, 0, -1), (2, 1, 9990 if mode == "isolated" else -1)]


def test_a_control_without_feedback_leaves_resting_orders_alone():
    tables = resting("isolated", "no_feedback")
    assert rows(tables, "forced_orders", "filled_lots") == [(-10,)]
    assert tables["counts"]["cancelled"].tolist() == [0]
    assert set(tables["path"]["best_bid_ticks"].tolist()) == {9990}
