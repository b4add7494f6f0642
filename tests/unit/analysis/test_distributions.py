"""How often cascades are at least so large, when those of one run hang together."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.analysis.distributions import pooled_ccdf
from stresslab.analysis.intervals import ratio_of_sums


def test_shares_are_ratios_of_sums_over_groups() -> None:
    seen, shares = pooled_ccdf([np.array([3.0, 1.0]), np.array([1.0, 1.0, 2.0]), np.array([])])
    assert seen.tolist() == [1.0, 2.0, 3.0]
    assert shares["at_least"] == pytest.approx([1.0, 2 / 5, 1 / 5])


def test_intervals_are_those_of_the_jackknife_over_groups() -> None:
    large, total = [4.0, 5.0, 6.0, 5.0, 4.0], [10.0, 9.0, 12.0, 10.0, 8.0]
    sizes = [(k, n - k) for k, n in zip(map(int, large), map(int, total), strict=True)]
    _, shares = pooled_ccdf([np.array([5.0] * k + [1.0] * rest) for k, rest in sizes])
    wanted = ratio_of_sums(large, total)
    assert wanted.low is not None and 0 < wanted.low < wanted.mid < 1  # type: ignore[operator]
    assert shares["low"][1] == pytest.approx(wanted.low)
    assert shares["high"][1] == pytest.approx(min(wanted.high or 0, 1.0))


def test_ends_of_intervals_fall_with_size() -> None:
    random = np.random.Generator(np.random.Philox(key=1))
    groups = [np.ceil(random.pareto(0.8, 40)) for _ in range(4)]
    _, shares = pooled_ccdf(groups)
    assert len(shares["low"]) > 10
    for name in ("low", "high"):
        assert (np.diff(shares[name]) <= 0).all()
    assert (shares["low"] <= shares["at_least"]).all()
    assert (shares["high"] >= shares["at_least"]).all()


def test_one_group_has_no_interval() -> None:
    _, shares = pooled_ccdf([np.array([1.0, 2.0])])
    assert shares["at_least"].tolist() == [1.0, 0.5]
    assert np.isnan(shares["low"]).all() and np.isnan(shares["high"]).all()
