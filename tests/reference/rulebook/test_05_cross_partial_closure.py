"""5. Cross: one leg of a pool a round, the fewest lots that restore it, by the chosen ranking.

Expected lots are found by trying one after another, in fractions, from the rule's text.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest

from stresslab.core.columns import LIMIT
from stresslab.liquidation.closures.legs import LEGS
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
    model_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)


def fewest(equity, held, marks, leg, *, fee, penalty, target):
    """Return the fewest lots of a leg after which maintenance / equity meets the target, or all."""
    others = sum(bracket_margin(abs(q) * marks[a] * UNIT) for a, q in held.items() if a != leg)
    for lots in range(1, abs(held[leg])):
        closed = lots * marks[leg] * UNIT
        left = equity - math.ceil(closed * Fraction(fee)) - math.ceil(closed * Fraction(penalty))
        need = others + bracket_margin((abs(held[leg]) - lots) * marks[leg] * UNIT)
        if left > 0 and need <= left * Fraction(target):
            return lots
    return abs(held[leg])


NAMES = ("BTC", "ETH", "SOL")
TERMS = [("0", "0", "1"), ("0.0005", "0.005", "0.9"), ("0.001", "0.0125", "0.6")]
BOOKS_OF_POSITIONS = [
    ({0: 100}, {0: 9450}),
    ({0: -100}, {0: 10_550}),
    ({0: 60, 1: -40}, {0: 9300, 1: 10_200}),
    ({0: -700, 1: 300, 2: 90}, {0: 10_400, 1: 9700, 2: 9000}),
    ({0: 25, 1: 26, 2: -1}, {0: 8000, 1: 8000, 2: 10_000}),
]


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize(("held", "marks"), BOOKS_OF_POSITIONS)
@pytest.mark.parametrize("share", ["0.97", "0.8", "0.4"])
def test_a_pool_closes_the_fewest_lots_of_its_largest_leg_until_it_is_restored(
    held, marks, terms, share
):
    """Round after round; at zero impact the equity is what fee and penalty left of it."""
    fee, penalty, target = terms
    need = sum(bracket_margin(abs(q) * marks[a] * UNIT) for a, q in held.items())
    pnl = sum(q * (marks[a] - TICKS) * UNIT for a, q in held.items())
    wealth = Fraction(math.floor((need * Fraction(share) - pnl) / USD * 100), 100)
    scenario = market(
        {
            "one": people((float(wealth), {NAMES[a]: q for a, q in held.items()})),
            "rich": people((1e8, {NAMES[a]: -q for a, q in held.items()})),
        },
        assets=NAMES,
        duration_seconds=2.0,
        margin__brackets=dict.fromkeys(NAMES, TIERS),
        margin__cross__penalty_rate=float(penalty),
        market__fees={"maker_rate": 0.0, "taker_rate": float(fee)},
        liquidation__liquidation_target=float(target),
    )
    model = model_of(scenario)
    for asset, mark in marks.items():
        model.world.index[2:, asset] = mark
    found = rows(tables_of(model), "forced_orders", "round", "asset", "filled_lots")
    left, equity, expected = dict(held), int(wealth * USD) + pnl, []
    for number in itertools.count(1):
        needs = {a: bracket_margin(abs(q) * marks[a] * UNIT) for a, q in left.items() if q}
        if equity >= sum(needs.values()):
            break
        leg = max(needs, key=lambda a: (needs[a], -a))
        lots = fewest(equity, left, marks, leg, fee=fee, penalty=penalty, target=target)
        side = 1 if left[leg] > 0 else -1
        expected.append((number, leg, -side * lots))
        left[leg] -= side * lots
        closed = lots * marks[leg] * UNIT
        for rate in (fee, penalty):
            equity -= min(max(equity, 0), math.ceil(closed * Fraction(rate)))
    assert found and found == expected


# -- which leg is first ----------------------------------------------------------------------------

#: By ranking, the order in which the legs below are closed whole.
ORDER = {
    "largest_maintenance": [1, 3, 0, 2],
    "largest_notional": [0, 1, 3, 2],
    "largest_loss": [2, 3, 0, 1],
    "most_liquid": [3, 2, 1, 0],
}


def four_legs(leg):
    """Return a hopeless pool of four legs that the rankings put in four different orders.

    At the marks 90, 95, 60 and 88 USD: notional 1,800, 950, 240 and 880; maintenance at 2, 5, 1 and
    5 % is 36, 47.50, 2.40 and 44; losses are 200, 50, 160 and 120 before entries are moved.
    """
    held = {"A": 20, "B": 10, "C": 4, "D": 10}
    rates = {"A": 0.02, "B": 0.05, "C": 0.01, "D": 0.05}
    return market(
        {"one": people((490.0, held)), "rich": people((1e6, {a: -q for a, q in held.items()}))},
        assets=("A", "B", "C", "D"),
        duration_seconds=2.0,
        market__shocks={
            "a": fall(0.1, "A"), "b": fall(0.05, "B"), "c": fall(0.4, "C"), "d": fall(0.12, "D"),
        },
        market__book={
            "kind": "impact",
            "law": {
                "kind": "linear", "depth_usd": 1e8,
                "depth_usd_by_asset": {"A": 1e8, "B": 2e8, "C": 4e8, "D": 8e8},
            },
        },
        margin__brackets={
            a: [{"floor_usd": 0.0, "maintenance_rate": rate, "max_leverage": 15.0}]
            for a, rate in rates.items()
        },
        margin__cross__closure={"kind": "least_to_restore", "leg": leg},
        liquidation={"feedback": "no_feedback", "liquidation_target": 1e-9},
    )  # fmt: skip


@pytest.mark.parametrize("leg", sorted(LEGS))
def test_the_ranking_says_which_leg_is_closed_first(leg):
    """A target that nothing meets closes leg after leg whole, one a round."""
    model = model_of(four_legs(leg))
    accounts = model.world.clearing.accounts
    accounts.entry_cost[:, 0] += [-50 * USD, 0, 100 * USD, 100 * USD]  # losses 150, 50, 260, 220
    accounts.cash[0, 0] -= 55 * USD  # in breach, but not so far that the whole would be bankrupt
    accounts.cash[0, 1] += 55 * USD
    found = rows(tables_of(model), "forced_orders", "round", "asset", "filled_lots")
    assert [asset for _, asset, _ in found] == ORDER[leg][: len(found)] and len(found) == 4
    assert [number for number, *_ in found] == [1, 2, 3, 4]


@pytest.mark.parametrize("leg", sorted(LEGS))
def test_equal_legs_are_closed_by_asset(leg):
    held = {"ETH": 10, "BTC": 10}
    scenario = market(
        {"one": people((200.0, held)), "rich": people((1e6, {"BTC": -10, "ETH": -10}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.06, "BTC", "ETH")},
        margin__cross__closure={"kind": "least_to_restore", "leg": leg},
    )
    assert rows(run(scenario), "forced_orders", "asset")[0] == (0,)


# -- rounds and capacity ---------------------------------------------------------------------------


def test_a_round_without_a_fill_ends_the_loop_and_a_round_with_one_does_not():
    """4 of 20 lots are bid: the second round asks for more and finds nobody, in every step."""
    scenario = market(
        {"one": people((200.0, {"BTC": 20})), "rich": people((1e6, {"BTC": -20}), (1e6, {}))},
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.09)},
        liquidation__feedback="market",
    )
    tables = tables_of(scripted(scenario, {1: [Ask(2, 4, 9090, LIMIT)]}))
    found = rows(tables, "forced_orders", "step", "round", "filled_lots")
    assert found == [(2, 1, -4), (2, 2, 0), (3, 1, 0), (4, 1, 0)]
    assert tables["totals"]["rounds"].tolist() == [0, 2, 1, 1]
    assert tables["liquidations"]["outcome"].tolist() == ["open"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_capacity_serves_the_lowest_equity_over_maintenance_first(limit):
    """Equity 40, 10, 25 and 10 USD against 47 each: rows 1 and 3 tie and go by id."""
    wealth = (100.0, 70.0, 85.0, 70.0)
    scenario = market(
        {
            "longs": people(*[(w, {"BTC": 10}) for w in wealth]),
            "rich": people((1e6, {"BTC": -40})),
        },
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__shocks={"s": fall(0.06)},
        margin__cross__closure={"kind": "whole"},
        liquidation__pools_per_round=limit,
    )
    found = rows(run(scenario), "forced_orders", "step", "round", "account")
    turns = [1, 3, 2, 0]
    expected = [(2, 1 + place // limit, n) for place, n in enumerate(turns)]
    assert sorted(found) == sorted(expected)


def test_rounds_beyond_the_capacity_of_a_step_wait_for_the_next():
    scenario = changed(four_legs("largest_maintenance"), liquidation__rounds_per_step=3)
    model = model_of(changed(scenario, duration_seconds=3.0))
    accounts = model.world.clearing.accounts
    accounts.cash[0, 0] -= 55 * USD
    accounts.cash[0, 1] += 55 * USD
    found = rows(tables_of(model), "forced_orders", "step", "round")
    assert found == [(2, 1), (2, 2), (2, 3), (3, 1)]
