"""Rates in force: when they change, by how much, and of whom."""

from __future__ import annotations

import numpy as np

from stresslab.core.declarations import build
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.portfolio.book import ADDITION, CREDIT, INITIAL_ADDITION
from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.margin.requirement.part import Opening, Sight
from stresslab.margin.tiers import margin_tables
from tests.reference.scenario_venue import LEAST

ROWS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50},
    {"floor_usd": 1000.0, "maintenance_rate": 0.04, "max_leverage": 20},
]
NAMES, SPOT = ["BTC", "ETH", "COIN"], np.array([0, 0, 1])
OPENING = Opening(1.0, [100, 100, 100], [0.0, 0.0, 0.0])


def venue(**rules):
    """Return the tables of two perpetuals and a spot asset, and the rates at work on them."""
    declared = build(
        MarginAndClosure,
        {"brackets": {"BTC": ROWS, "ETH": ROWS}, "cross": {"closure": LEAST, "penalty_rate": 0.0},
         **rules},
    )  # fmt: skip
    tables = margin_tables(declared, NAMES, SPOT, np.ones(3, np.int64))
    force = RatesInForce(declared.requirement, NAMES, tables, OPENING, declared.portfolio)
    return tables, force


def sight(seconds=0.0, marks=(100, 100, 100)):
    return Sight(seconds, [*marks], [*marks], lambda: [1e9] * 3, lambda: [0] * 3)


def test_rates_change_when_a_part_does_and_never_otherwise():
    part = {"kind": "announced", "at_seconds": 5.0, "initial": 0.03, "assets": ["ETH"]}
    tables, force = venue(requirement={"notice": part})
    assert not force.is_fixed
    before = tables.initial.copy(), tables.rate.copy()
    assert [force.update(sight(s)) for s in (0.0, 4.0, 5.0, 6.0)] == [False, False, True, False]
    assert (tables.initial - before[0]).tolist() == [[0, 0], [30_000_000] * 2, [0, 0]]
    assert np.array_equal(tables.rate, before[1])
    assert [column.tolist() for column in force.add_ons()] == [[0, 30_000_000, 0], [0, 0, 0]]


def test_maintenance_lifts_every_rate_and_initial_margin_with_it_up_to_the_notional():
    tables, force = venue(requirement={
        "one": {"kind": "announced", "at_seconds": 1.0, "maintenance": 0.5, "initial": 0.2},
        "two": {"kind": "announced", "at_seconds": 2.0, "maintenance": 0.6},
    })  # fmt: skip
    assert force.update(sight(1.0))
    assert tables.rate[0].tolist() == [510_000_000, 540_000_000]
    assert tables.initial[0].tolist() == [520_000_000, 550_000_000], "at least what maintenance is"
    assert force.update(sight(2.0))
    assert tables.rate[1].tolist() == [970_000_000, 10**9], "no rate is above the notional"
    assert tables.initial[1].tolist() == [980_000_000, 10**9]
    assert tables.rate[2].tolist() == [100_000_000] * 2, "spot is left alone"


def test_without_parts_rates_are_fixed():
    tables, force = venue()
    before = tables.initial.copy()
    assert force.is_fixed and not force.update(sight(1.0))
    assert np.array_equal(tables.initial, before)


def test_a_credit_that_follows_marks_changes_the_grid_alone():
    grid = {"classes": {"one": ["BTC", "ETH"]}, "hedge_credit": 0.8,
            "credit_by_correlation": {"none_at": -1.0}}  # fmt: skip
    tables, force = venue(portfolio=grid)
    assert not force.is_fixed
    rates = tables.rate.copy()
    found = [force.update(sight(k, marks)) for k, marks in enumerate(
        ((100, 100, 100), (101, 100, 100), (101, 100, 100)), start=1)]  # fmt: skip
    assert found == [False, True, False]
    assert tables.portfolio[:, CREDIT].tolist() == [400_000_000] * 2 + [800_000_000]
    assert np.array_equal(tables.rate, rates)


def test_parts_and_credit_may_change_in_the_same_step_or_apart():
    grid = {"classes": {"one": ["BTC", "ETH"]}, "credit_by_correlation": {"none_at": -1.0},
            "perpetual_addition": 0.01, "perpetual_initial_addition": 0.02}  # fmt: skip
    part = {"kind": "announced", "at_seconds": 2.0, "maintenance": 0.03, "initial": 0.05,
            "assets": ["BTC"]}  # fmt: skip
    tables, force = venue(portfolio=grid, requirement={"notice": part})
    path = ((1.0, (101, 100, 100)), (2.0, (101, 100, 100)), (3.0, (102, 101, 100)))
    assert [force.update(sight(seconds, marks)) for seconds, marks in path] == [True] * 3
    assert tables.portfolio[:2, ADDITION].tolist() == [40_000_000, 10_000_000]
    assert tables.portfolio[:2, INITIAL_ADDITION].tolist() == [80_000_000, 30_000_000]
