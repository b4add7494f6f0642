"""The parts of the book experiment: closed forms against others, and each control fails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.market.impact.obizhaeva_wang import optimal_schedule
from stresslab.validation.experiments import book
from stresslab.validation.queue_race import Rates, counted, probabilities_up
from stresslab.validation.recovering_book import in_lots


def test_the_chance_of_a_side_is_one_minus_that_of_the_other() -> None:
    up = probabilities_up(book.RATES)
    np.testing.assert_allclose(up + up.T, 1.0, atol=1e-12)
    assert (np.diff(up[0]) < 0).all()


def test_without_arrivals_one_order_races_another_by_rates_alone() -> None:
    """From one order at each touch, whoever trades first empties first; from two, the odds of
    two deaths before one are those of exponential clocks."""
    up = probabilities_up(Rates(limit=0.0, market=1.0, cancel=0.5))
    slow, fast = 1.5, 2.0  # a queue of one dies at 1.5, of two at 2
    assert up[0, 0] == pytest.approx(0.5, abs=1e-12)
    assert up[0, 1] == pytest.approx(fast / (slow + fast) * 0.5, abs=1e-12)


def test_counted_races_are_those_of_the_seed() -> None:
    first = counted(book.RATES, 1, 2, 300, seed=1)
    assert 60 < first < 140
    assert counted(book.RATES, 1, 2, 300, seed=1) == first
    assert counted(book.RATES, 1, 2, 300, seed=2) != first


def test_whole_lots_never_stray_from_the_plan() -> None:
    plan = optimal_schedule(100_000, 10, 0.1, 0.3)
    lots = in_lots(plan)
    assert sum(lots) == 10**9
    assert np.abs(np.cumsum(lots) - np.cumsum(plan) * 1e4).max() <= 0.5 + 1e-6


def test_swapped_shapes_have_the_other_exponent() -> None:
    right, wrong = (book._exponent("V", book._sweep(shape), 0.5) for shape in (1, -1))
    assert right.passed and not wrong.passed
    assert wrong.measured == pytest.approx(1.0)
    assert all(check.passed for check in book._v_checks(book._sweep(1)))
    assert math.sqrt(144**2) == book._sweep(1)[-3][1]


def test_a_slower_recovery_fails() -> None:
    right, wrong = (book._execution(1, is_right) for is_right in (True, False))
    assert len(right) == 6 and all(check.passed for check in right)
    assert [check.passed for check in wrong] == [False] * 5 + [True], "one block never recovers"
