"""A guide is drawn where the sizes carry a tail, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.report.tails import LEAST_SIZES, tail


def pareto(exponent: float, n: int) -> list[float]:
    """Return the quantiles of a Pareto law: a tail without chance."""
    return [(1 - (k + 0.5) / n) ** (-1 / exponent) for k in range(n)]


@pytest.mark.parametrize("exponent", [0.5, 0.8, 1.2])
def test_a_power_law_gives_its_exponent(exponent: float) -> None:
    found = tail(pareto(exponent, 4000))
    assert found is not None
    assert found[0] == pytest.approx(exponent, rel=0.02)
    assert found[1] < found[2]


def test_too_few_sizes_carry_no_tail() -> None:
    assert tail(pareto(0.5, 4 * LEAST_SIZES)) is not None
    assert tail(pareto(0.5, 4 * LEAST_SIZES - 8)) is None
    assert tail([1.0]) is None


def test_thin_tails_carry_none() -> None:
    sizes = np.random.default_rng(1).exponential(size=4000)
    assert tail(sizes.tolist()) is None
    assert tail(np.exp(sizes).tolist()) is not None


def test_sizes_that_are_mostly_one_carry_none() -> None:
    assert tail([1.0] * 380 + [2.0, 3.0, 5.0, 9.0, 70.0] * 4) is None
