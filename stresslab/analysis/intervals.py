"""Intervals around estimates. Sums are exact (``math.fsum``), so order and threads cannot matter.

An interval that the sample cannot give is ``None`` at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
RESAMPLES = 2_000


class Interval(NamedTuple):
    """An estimate and its interval; ``None`` where undefined."""

    mid: float | None
    low: float | None
    high: float | None


UNDEFINED = Interval(None, None, None)


def mean(values: Sequence[float]) -> float:
    """Return the mean of at least one value."""
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Return the sample variance of at least two values."""
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)


def student(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the mean with Student's interval; one value has no interval.

    >>> student([1.0, 2.0, 3.0])  # doctest: +ELLIPSIS
    Interval(mid=2.0, low=-0.484..., high=4.484...)
    """
    if not values:
        return UNDEFINED
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, None, None)
    half = student_quantile(len(values) - 1, level) * math.sqrt(variance(values) / len(values))
    return Interval(centre, centre - half, centre + half)


def bootstrap(
    values: Sequence[float],
    level: float = LEVEL,
    statistic: Callable[[Sequence[float]], float] = mean,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a statistic with a percentile bootstrap interval, for heavy tails.

    The resamples depend on the number of values only: the same sample gives the same interval.
    """
    if not values:
        return UNDEFINED
    if len(values) < 2:
        return Interval(statistic(values), None, None)
    draws = np.random.Generator(np.random.Philox(key=len(values)))
    picks = draws.integers(0, len(values), (resamples, len(values)))
    found = [statistic(sample) for sample in np.asarray(values)[picks].tolist()]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Interval(statistic(values), low, high)


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Return a share with Wilson's interval.

    >>> wilson(0, 20)  # doctest: +ELLIPSIS
    Interval(mid=0.0, low=0.0, high=0.161...)

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    if not n:
        return UNDEFINED
    share, z = successes / n, float(ndtri((1 + level) / 2))
    whole = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / whole
    half = z / whole * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(share, low, high)


def median(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the median with the interval of order statistics, at least as sure as ``level``.

    Values may be infinite (never reached): an infinite end is ``None``. Fewer than six values have
    no 95 % interval.
    """
    if not values:
        return UNDEFINED
    ordered, n = sorted(values), len(values)
    centre = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    rank = _median_rank(n, level)
    if not rank:
        return Interval(_finite(centre), None, None)
    return Interval(_finite(centre), _finite(ordered[rank - 1]), _finite(ordered[n - rank]))


def _median_rank(n: int, level: float) -> int:
    """Return the largest r with P(r-th smallest <= median <= r-th largest) >= level, 0 if none."""
    tail, rank = 0, 0
    while (rank + 1) * 2 <= n:
        tail += math.comb(n, rank)
        if 1 - 2 * tail / 2**n < level:
            break
        rank += 1
    return rank


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def jackknife(
    estimate: Callable[[Sequence[int]], float | None], n: int, level: float = LEVEL
) -> Interval:
    """Return an estimate over ``n`` replicates with a delete-one jackknife interval.

    ``estimate`` takes the replicates that are left in and may return ``None`` where undefined.
    """
    everything = range(n)
    centre = estimate(everything)
    if centre is None or n < 2:
        return Interval(centre, None, None)
    parts = [estimate([r for r in everything if r != left_out]) for left_out in everything]
    values = [part for part in parts if part is not None]
    if len(values) < n:
        return Interval(centre, None, None)
    half = student_quantile(n - 1, level) * math.sqrt(variance(values) * (n - 1) ** 2 / n)
    return Interval(centre, centre - half, centre + half)


def ratio_of_sums(
    parts: Sequence[float], wholes: Sequence[float], level: float = LEVEL
) -> Interval:
    """Return ``sum(parts) / sum(wholes)`` over replicates with a jackknife interval.

    >>> ratio_of_sums([1.0, 2.0], [2.0, 4.0])
    Interval(mid=0.5, low=0.5, high=0.5)
    """

    def estimate(kept: Sequence[int]) -> float | None:
        whole = math.fsum(wholes[r] for r in kept)
        return math.fsum(parts[r] for r in kept) / whole if whole else None

    return jackknife(estimate, len(parts), level)


def student_quantile(degrees: int, level: float) -> float:
    """Return how many standard errors a two-sided interval reaches."""
    return float(stdtrit(degrees, (1 + level) / 2))
