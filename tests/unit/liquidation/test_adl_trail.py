"""The trail of auto-deleveraging agrees with the journal to the unit, or stops the run."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InvariantError
from stresslab.liquidation.adl_trail import AdlTrail
from tests.markets import LOT, USD, market, model_of, people


@pytest.fixture
def sight():
    """Return accounts, tables and marks of a long and a short of 10 lots."""
    model = model_of(market({"two": people((1e3, {"BTC": 10}), (1e3, {"BTC": -10}))}))
    c = model.world.clearing
    return c.accounts, c.tables, model.world.board.ticks


def noted() -> AdlTrail:
    """Return a trail in which account 1 lost 7, 2 and 1 USD for liquidations 5, 3 and 5."""
    trail = AdlTrail()
    trail.note(np.array([1]), 0, np.array([2]), np.array([2 * LOT + 7 * USD]), 5)
    trail.note(np.array([0, 1]), 0, np.array([0, 1]), np.array([4 * USD, LOT + 2 * USD]), 3)
    trail.note(np.array([1]), 0, np.array([0]), np.array([USD]), 5)
    return trail


def test_amounts_are_summed_by_pool_and_source(sight):
    accounts, tables, marks = sight
    total = np.array([4, 10]) * USD
    found = noted().sources(accounts, tables, marks, marks, np.array([0, 1]), total)
    assert [column.tolist() for column in found] == [
        [0, 1, 1], [3, 3, 5], [4 * USD, 2 * USD, 8 * USD],
    ]  # fmt: skip


def test_the_move_of_lots_taken_over_belongs_to_their_source(sight):
    """The short is at -10 now and was at -13: 10 ticks up would have eaten 0.105 a lot more."""
    accounts, tables, marks = sight
    total = np.array([10 * USD - 3 * 105_000])
    _, source, amount = noted().sources(accounts, tables, marks, marks + 10, np.array([1]), total)
    assert source.tolist() == [3, 5]
    assert amount.tolist() == [2 * USD - 105_000, 8 * USD - 210_000]


def test_the_move_of_lots_taken_over_is_margined_in_the_bracket_that_they_were_in():
    """10 % of what is above 1,150 USD: 13 lots short lose 1.30 and need 0.13 more at 10 ticks up.

    11 lots lose 1.10 and need 0.055, 10 lots 1.00 and 0.05.
    """
    brackets = [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 10.0},
                {"floor_usd": 1150.0, "maintenance_rate": 0.1, "max_leverage": 5.0}]  # fmt: skip
    story = market(
        {"two": people((1e3, {"BTC": 10}), (1e3, {"BTC": -10}))}, margin__brackets={"BTC": brackets}
    )
    model = model_of(story)
    c, marks = model.world.clearing, model.world.board.ticks
    first, second = 1_430_000 - 1_155_000, 1_155_000 - 1_050_000
    total = np.array([10 * USD - first - second])
    _, source, amount = noted().sources(
        c.accounts, c.tables, marks, marks + 10, np.array([1]), total
    )
    assert source.tolist() == [3, 5]
    assert amount.tolist() == [2 * USD - second, 8 * USD - first]


def test_a_unit_off_the_journal_stops_the_run(sight):
    accounts, tables, marks = sight
    total = np.array([4 * USD, 10 * USD + 1])
    with pytest.raises(InvariantError, match="account 1: the sources of ADL add up to 10000000"):
        noted().sources(accounts, tables, marks, marks, np.array([0, 1]), total)


def test_nothing_noted_and_nothing_else_is_forgotten(sight):
    accounts, tables, marks = sight
    trail = noted()
    trail.note(np.empty(0, np.int64), 0, np.empty(0, np.int64), np.empty(0, np.int64), 9)
    trail.clear()
    found = trail.sources(accounts, tables, marks, marks, np.array([1]), np.zeros(1, np.int64))
    assert [column.size for column in found] == [0, 0, 0]
