"""Intervals against tables, closed forms and their promised coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.analysis.intervals import (
    UNDEFINED,
    bootstrap,
    jackknife,
    mean,
    median,
    ratio_of_sums,
    student,
    variance,
    wilson,
)


def test_student_is_that_of_the_table() -> None:
    """t(0.975, 4) = 2.776; mean 3, standard deviation sqrt(2.5)."""
    mid, low, high = student([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451 * math.sqrt(2.5 / 5)
    assert (mid, low, high) == (3.0, pytest.approx(3 - half), pytest.approx(3 + half))
    assert student([7.0]) == (7.0, None, None)
    assert student([]) == UNDEFINED


def test_student_level() -> None:
    """t(0.95, 4) = 2.132."""
    assert student([1.0, 2.0, 3.0, 4.0, 5.0], 0.9).high == pytest.approx(
        3 + 2.1318468 * math.sqrt(0.5)
    )


def test_means_do_not_depend_on_order() -> None:
    values = [1e16, 1.0, -1e16, 3.0]
    assert mean(values) == mean(values[::-1]) == 1.0
    assert variance([2.0, 4.0, 6.0]) == 4.0


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 20, 0.0, 0.1611),
        (20, 20, 0.8389, 1.0),
        (10, 20, 0.2993, 0.7007),
        (1, 10, 0.0179, 0.4042),
    ],
)
def test_wilson_is_that_of_the_literature(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert found.mid == successes / n
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert wilson(0, 0) == UNDEFINED


def test_the_median_has_the_interval_of_order_statistics() -> None:
    """For n = 20 the 6th and the 15th value enclose the median with 95.9 %."""
    assert median([float(value) for value in range(1, 21)]) == (10.5, 6.0, 15.0)
    assert median([1.0, 2.0, 3.0, 4.0, 5.0]) == (3.0, None, None)
    assert median([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == (3.5, 1.0, 6.0)
    assert median([]) == UNDEFINED


def test_an_infinite_median_is_undefined() -> None:
    values = [0.1] * 3 + [math.inf] * 5
    assert median(values) == (None, 0.1, None)


def test_the_bootstrap_repeats_and_covers() -> None:
    rng = np.random.default_rng(5)
    samples = [rng.normal(1.0, 1.0, 30).tolist() for _ in range(200)]
    found = [bootstrap(sample, resamples=300) for sample in samples]
    covered = sum(low <= 1.0 <= high for _, low, high in found)
    assert 175 <= covered <= 198
    assert bootstrap(samples[0]) == bootstrap(samples[0])
    assert bootstrap([1.0]) == (1.0, None, None)
    assert bootstrap([]) == UNDEFINED


def test_the_bootstrap_takes_any_statistic() -> None:
    assert bootstrap([1.0, 2.0, 9.0], statistic=max).mid == 9.0


def test_the_jackknife_of_a_mean_is_students() -> None:
    values = [1.0, 4.0, 2.0, 8.0, 5.0]
    found = jackknife(lambda kept: mean([values[r] for r in kept]), len(values))
    assert found == pytest.approx(student(values))


def test_a_ratio_of_sums_is_no_mean_of_ratios() -> None:
    found = ratio_of_sums([1.0, 9.0], [10.0, 10.0])
    assert found.mid == 0.5
    assert found.low is not None
    assert found.low < 0.5 < found.high
    assert ratio_of_sums([1.0, 0.0], [10.0, 0.0]) == (0.1, None, None)
    assert ratio_of_sums([], []) == UNDEFINED
    assert ratio_of_sums([0.0], [0.0]) == UNDEFINED


def test_the_jackknife_of_a_ratio_covers() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        wholes = rng.gamma(4.0, 1.0, 25)
        parts = wholes * 0.6 + rng.normal(0, 0.5, 25)
        found = ratio_of_sums(parts.tolist(), wholes.tolist())
        covered += found.low <= 0.6 <= found.high
    assert 360 <= covered <= 396


SUMS = st.lists(st.tuples(st.floats(0, 100), st.floats(1, 100)), min_size=1, max_size=8)


@given(SUMS, st.floats(0.1, 10))
def test_a_ratio_of_sums_knows_neither_unit_nor_order(pairs: list, unit: float) -> None:
    """Amplification and branching are the same in cents and in any order of replicates."""
    parts, wholes = [a for a, _ in pairs], [b for _, b in pairs]
    found = ratio_of_sums(parts, wholes)
    again = ratio_of_sums([a * unit for a in parts[::-1]], [b * unit for b in wholes[::-1]])
    assert found.mid is not None and again.mid == pytest.approx(found.mid)
    assert (found.low is None) == (len(pairs) < 2)
    if found.low is not None and found.high is not None:
        assert found.low <= found.mid <= found.high
    assert ratio_of_sums(wholes, wholes).mid == 1.0
