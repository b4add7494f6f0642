"""Tail exponents of sizes: shown only where the sizes carry one."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: A tail is the largest quarter of the sizes; fewer sizes or decades than these say nothing.
TAIL_SHARE, LEAST_SIZES, LEAST_DECADES = 0.25, 50, 1.5

#: Kolmogorov-Smirnov distance, times the root of the number of sizes, that 5 % exceed by chance.
FARTHEST = 1.36


def tail(sizes: Sequence[float]) -> tuple[float, float, float] | None:
    """Return exponent, first and last size of a power-law tail; None if the data do not carry it.

    The exponent is that of the complementary distribution, by Hill's estimator. The tail is refused
    if it lies too far from the straight line, as it does where many sizes are equal.

    References
    ----------
    Hill (1975), "A simple general approach to inference about the tail of a distribution".

    >>> sizes = [(1 - k / 400) ** -2.0 for k in range(400)]
    >>> exponent, first, last = tail(sizes)
    >>> round(exponent, 1), round(first), round(last)
    (0.5, 16, 160000)
    """
    ordered = sorted(sizes)
    beyond = ordered[round(len(ordered) * (1 - TAIL_SHARE)) :]
    if len(beyond) < LEAST_SIZES or math.log10(beyond[-1] / beyond[0]) < LEAST_DECADES:
        return None
    logs = [math.log(size / beyond[0]) for size in beyond]
    exponent = len(beyond) / math.fsum(logs)
    is_straight = _distance(logs, exponent) * math.sqrt(len(beyond)) <= FARTHEST
    return (exponent, beyond[0], beyond[-1]) if is_straight else None


def _distance(logs: Sequence[float], exponent: float) -> float:
    """Return the largest gap between the sizes' distribution and the straight line."""
    n = len(logs)
    fitted = [1 - math.exp(-exponent * log) for log in logs]
    return max(max(abs(f - k / n), abs(f - (k + 1) / n)) for k, f in enumerate(fitted))
