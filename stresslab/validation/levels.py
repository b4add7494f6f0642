"""How surely a right model passes a check, and what a check would find: worked out, not claimed.

All checks of the ladder under all four seeds share ``MOST_FALSE_ALARMS`` (Bonferroni). What a
source asks to be within four standard errors gets four; that takes most of it. Every other drawn
number is judged at the level ``OURS``, and where a tolerance is given as a number the sample
decides the level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stresslab.validation.verdicts import Check

#: Most that the levels of all checks of the ladder may add up to, under all seeds together.
MOST_FALSE_ALARMS = 0.01
#: Standard errors of a number whose source asks for four: a level of 6.3e-5.
ASKED = 4.0
#: Level of a drawn number for which no source names a tolerance, and its standard errors.
OURS = 1e-6
OURS_ERRORS = 4.8916
#: Standard errors beyond a tolerance at which a deviation is found nine times out of ten.
_NINE_OF_TEN = 1.2816
_BAND = 0.001  # the specification's own band, told and not judged


def two_sided(errors: float) -> float:
    """Return the chance that a normal number is further than so many standard errors off."""
    return math.erfc(errors / math.sqrt(2.0))


def mean(
    what: str, measured: float, expected: float, error: float, drawn: str, *,
    errors: float = OURS_ERRORS, within: float = 0.0, unit: str = "",
) -> Check:  # fmt: skip
    """Hold a mean of many draws against what is expected of it.

    Parameters
    ----------
    error : standard error of the measured number if the claim holds
    drawn : size of the sample, in words
    errors : standard errors that pass
    within : what the claim itself may be off, on top
    """
    tolerance = within + errors * error
    return _normal(what, measured, expected, tolerance, error, drawn, unit, two_sided(errors))


def within(
    what: str, measured: float, expected: float, tolerance: float, error: float, drawn: str,
    unit: str = "",
) -> Check:  # fmt: skip
    """Hold a number to a tolerance that its source names; the sample's size decides the level."""
    level = two_sided(tolerance / error)
    return _normal(what, measured, expected, tolerance, error, drawn, unit, level)


def _normal(
    what: str, measured: float, expected: float, tolerance: float, error: float, drawn: str,
    unit: str, level: float,
) -> Check:  # fmt: skip
    found = tolerance + _NINE_OF_TEN * error
    p = two_sided(abs(measured - expected) / error)
    return Check(what, measured, expected, tolerance, unit, level=level, p=p,
                 power=f"{drawn} find {found:.2g}")  # fmt: skip


def share(
    what: str, count: int, n: int, expected: float, drawn: str, *, errors: float = OURS_ERRORS
) -> Check:
    """Hold a share of ``n`` independent draws; level and p are those of the binomial law."""
    from scipy.stats import binom

    spread = math.sqrt(expected * (1 - expected) / n)
    tolerance, off = errors * spread, abs(count - n * expected)
    low, high = n * (expected - tolerance), n * (expected + tolerance)
    law = binom(n, expected)
    level = float(law.cdf(math.ceil(low) - 1) + law.sf(math.floor(high)))
    below, above = n * expected - off + 1e-9, math.ceil(n * expected + off - 1e-9) - 1
    p = float(law.cdf(below) + law.sf(above))
    power = f"{n:,} {drawn} find {tolerance + _NINE_OF_TEN * spread:.2g}"
    return Check(what, count / n, expected, tolerance, level=level, p=min(p, 1.0), power=power)


def goodness(
    what: str, found: np.ndarray, expected: np.ndarray, other: np.ndarray, other_is: str,
    drawn: str,
) -> Check:  # fmt: skip
    """Hold counts in bins to a law by chi-square, which must not exceed its quantile.

    Parameters
    ----------
    found, expected : (bins,) counts
    other, other_is : (bins,) counts expected of another law, and that law in words: its chance of
        being found is told
    """
    from scipy.stats import chi2, ncx2

    statistic = float(np.sum((found - expected) ** 2 / expected))
    freedom = expected.size - 1
    most = float(chi2.isf(OURS, freedom))
    away = float(np.sum((other - expected) ** 2 / expected))
    power = float(ncx2.sf(most, freedom, away))
    return Check(what, statistic, freedom, most - freedom, level=OURS,
                 p=float(chi2.sf(statistic, freedom)),
                 power=f"{drawn} find {other_is} with a chance of {power:.2g}")  # fmt: skip


def outside_band(checks: Sequence[Check]) -> tuple[int, int]:
    """Return how many drawn numbers lie outside their 99.9 % band, and how many there are.

    One in a thousand of a right model does, so that this cannot be asked of hundreds of numbers.
    """
    return sum(map(is_outside, checks)), sum(check.p is not None for check in checks)


def is_outside(check: Check) -> bool:
    """Whether a drawn number lies outside its 99.9 % band."""
    return check.p is not None and not check.p > _BAND
