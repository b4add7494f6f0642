"""Published leverage tables: continuous, and the same as the engine's integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.leverage_table import brackets, leverage_table, maintenance_of, row_of
from stresslab.margin.rules import Bracket
from stresslab.margin.tiers import maintenance_margin, margin_tables

USD = 1_000_000
BRACKETS = [(0, 0.004), (50_000, 0.005), (250_000, 0.01), (1_000_000, 0.025), (10_000_000, 0.05)]
TABLE = leverage_table([(floor, Fraction(str(rate))) for floor, rate in BRACKETS])


@pytest.fixture(scope="module")
def engine():
    rows = tuple(
        Bracket(floor_usd=float(floor), maintenance_rate=rate, max_leverage=2.0)
        for floor, rate in BRACKETS
    )
    rules = MarginAndClosure(brackets={"X": rows})
    return margin_tables(rules, ["X"], np.zeros(1, bool), np.ones(1, np.int64))


@given(st.integers(1, 30_000_000 * USD))
def test_the_engine_s_kernel_says_the_same(engine, notional):
    """Given any notional in micro-USD, the kernel's margin is the table's, rounded up."""
    exact = maintenance_of(TABLE, Fraction(notional, USD)) * USD

    assert maintenance_margin(engine, 0, notional) == -(-exact.numerator // exact.denominator)


@pytest.mark.parametrize("floor", [floor for floor, _ in BRACKETS[1:]])
def test_a_floor_belongs_to_the_bracket_below_and_nothing_jumps(floor):
    step = Fraction(1, USD)
    at, above = row_of(TABLE, floor), row_of(TABLE, floor + step)

    assert at.floor < floor == above.floor
    assert floor * at.rate - at.amount == floor * above.rate - above.amount
    rise = maintenance_of(TABLE, floor + step) - maintenance_of(TABLE, floor)
    assert rise == step * above.rate


@given(st.lists(st.integers(0, 20_000_000), min_size=3, max_size=3))
def test_margin_is_convex(notionals):
    low, middle, high = sorted(notionals)
    chord = [maintenance_of(TABLE, n) for n in (low, middle, high)]

    assert (chord[1] - chord[0]) * (high - middle) <= (chord[2] - chord[1]) * (middle - low)


def test_the_last_bracket_is_open():
    rows = list(brackets(TABLE))
    ends = [end for _, end in rows]

    assert [row for row, _ in rows] == list(TABLE)
    assert ends == [50_000, 250_000, 1_000_000, 10_000_000, None]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "must start at 0 USD"),
        ([(5, 0.01)], "must start at 0 USD"),
        ([(0, 0.01), (0, 0.02)], "floor 0 USD with rate 0.02 must lie above"),
        ([(0, 0.01), (5, 0.01)], "floor 5 USD with rate 0.01 must lie above"),
    ],
)
def test_a_table_that_does_not_rise_is_refused(rows, said):
    with pytest.raises(StresslabError, match=said):
        leverage_table(rows)
