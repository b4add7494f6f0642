"""Levels, p and power of checks, against counting and against draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from stresslab.validation import levels

RNG = np.random.Generator(np.random.Philox(key=7))


def test_standard_errors_and_levels_belong_together() -> None:
    assert levels.two_sided(levels.ASKED) == pytest.approx(2 * norm.sf(4), rel=1e-12)
    assert levels.two_sided(levels.OURS_ERRORS) == pytest.approx(levels.OURS, rel=1e-3)


def test_a_mean_is_found_as_often_as_its_power_says() -> None:
    check = levels.mean("m", 0.3, 0.0, 0.1, "9 draws", errors=2.0, within=0.05)
    assert check.tolerance == pytest.approx(0.25) and not check.passed
    assert check.level == pytest.approx(2 * norm.sf(2))
    assert check.p == pytest.approx(2 * norm.sf(3))
    assert check.power == "9 draws find 0.38"  # 0.25 + 1.28 x 0.1
    moved = 0.378 + 0.1 * RNG.normal(size=20_000)
    assert np.mean(np.abs(moved) > check.tolerance) == pytest.approx(0.9, abs=0.01)


def test_the_level_of_a_tolerance_is_that_of_the_sample() -> None:
    assert levels.within("w", 0.0, 0.0, 0.03, 0.01, "x").level == pytest.approx(2 * norm.sf(3))


@pytest.mark.parametrize("count", [0, 2, 6, 9])
def test_shares_are_judged_by_the_binomial_law(count: int) -> None:
    """Ten draws of a chance of 0.6, every outcome counted by hand."""
    law = [math.comb(10, k) * 0.6**k * 0.4 ** (10 - k) for k in range(11)]
    check = levels.share("s", count, 10, 0.6, "draws", errors=1.5)  # 6 plus and minus 2.32
    assert check.passed == (4 <= count <= 8)
    assert check.level == pytest.approx(sum(law[k] for k in (0, 1, 2, 3, 9, 10)))
    off = abs(count - 6)
    expected = sum(law[k] for k in range(11) if abs(k - 6) >= off)
    assert check.p == pytest.approx(expected)


def test_chi_square_finds_the_other_law_as_often_as_it_says() -> None:
    expected, other = np.array([500.0, 300.0, 200.0]), np.array([410.0, 340.0, 250.0])
    fine = levels.goodness("g", expected, expected, other, "another", "1,000")
    assert fine.passed and fine.p == 1.0 and fine.level == levels.OURS
    draws = RNG.multinomial(1000, other / 1000, size=4000)
    statistics = ((draws - expected) ** 2 / expected).sum(axis=1)
    found = np.mean(statistics > fine.expected + fine.tolerance)
    told = float(fine.power.rsplit(" ", 1)[1])
    assert 0.2 < told < 0.8
    assert found == pytest.approx(told, abs=0.06)


def test_numbers_outside_their_band_are_counted() -> None:
    inside, outside = (levels.mean("m", x, 0.0, 1.0, "1") for x in (3.2, 3.4))
    assert levels.outside_band([inside, outside]) == (1, 2)
