"""What an independent program found in markets of leveraged value funds, and bands from it.

Twelve runs of 50,000 steps give a mean and a standard deviation for each statistic. Another run of
a right model lies ``t · s · sqrt(1 + 1/12)`` from their mean, with t a quantile of Student's law of
11 degrees of freedom: the deviation of twelve runs is itself uncertain by a fifth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

RUNS = 12
RETURNS = 50_000  # of each run
LEVEL = 1e-5  # of each check: 44 under four seeds leave the ladder within its 1 %
#: Quantile of Student's law of 11 degrees of freedom that this level asks for, both sides.
_QUANTILE = 7.647487116013572
NOMINAL = 4.0  # standard deviations, of the specification's own bands


class Band(NamedTuple):
    """Mean and standard deviation of a statistic over the runs."""

    mean: float
    deviation: float

    def tolerance(self, spread: float = 1.0) -> float:
        """Return how far another run may lie, at the level; ``spread`` widens the deviation."""
        return _QUANTILE * self.deviation * math.sqrt(spread**2 + 1 / RUNS)

    def chance(self, found: float, spread: float = 1.0) -> float:
        """Return the chance that another run lies at least as far from the mean."""
        from scipy.stats import t

        errors = abs(found - self.mean) / (self.deviation * math.sqrt(spread**2 + 1 / RUNS))
        return float(2.0 * t.sf(errors, RUNS - 1))

    @property
    def log(self) -> Band:
        """Return the band of the logarithm, where the statistic is lognormal.

        >>> tuple(round(x, 3) for x in Band(10.132, 5.6618).log)
        (2.18, 0.521)
        """
        variance = math.log1p((self.deviation / self.mean) ** 2)
        return Band(math.log(self.mean) - 0.5 * variance, math.sqrt(variance))


#: Leverage limit -> statistic -> band. Benchmark of investors 0.005, sensitivity 0.15, weight 0.1.
BANDS: dict[float, dict[str, Band]] = {
    1.0: {
        "Hill 10 %": Band(4.1859, 0.15173),
        "Hill 5 %": Band(5.3602, 0.24993),
        "Hill 1 %": Band(7.7954, 0.58943),
        "excess kurtosis": Band(0.20887, 0.046214),
        "skewness": Band(-0.0018447, 0.011446),
        "deviation of returns": Band(0.032498, 0.00037804),
        "ACF abs r, lag 1": Band(0.033743, 0.0086767),
        "ACF abs r, lag 10": Band(0.015832, 0.0049686),
    },
    3.0: {
        "Hill 10 %": Band(2.7918, 0.14667),
        "Hill 5 %": Band(3.4855, 0.27831),
        "Hill 1 %": Band(5.3859, 0.3922),
        "excess kurtosis": Band(1.0688, 0.13593),
        "skewness": Band(-0.022404, 0.021765),
        "deviation of returns": Band(0.029366, 0.00049133),
        "ACF abs r, lag 1": Band(0.16367, 0.012703),
        "ACF abs r, lag 10": Band(0.11237, 0.0099716),
    },
    5.0: {
        "Hill 10 %": Band(2.466, 0.085212),
        "Hill 5 %": Band(2.9421, 0.21247),
        "Hill 1 %": Band(3.2383, 0.29685),
        "excess kurtosis": Band(3.05, 0.70321),
        "skewness": Band(-0.2171, 0.060165),
        "deviation of returns": Band(0.029261, 0.00049589),
        "ACF abs r, lag 1": Band(0.1776, 0.010942),
        "ACF abs r, lag 10": Band(0.12457, 0.011539),
    },
    10.0: {
        "Hill 10 %": Band(2.3023, 0.077864),
        "Hill 5 %": Band(2.532, 0.10086),
        "Hill 1 %": Band(2.0365, 0.14478),
        "excess kurtosis": Band(10.132, 5.6618),
        "skewness": Band(-0.56613, 0.15247),
        "deviation of returns": Band(0.029458, 0.00049479),
        "ACF abs r, lag 1": Band(0.19405, 0.01825),
        "ACF abs r, lag 10": Band(0.13072, 0.010433),
    },
    15.0: {
        "Hill 10 %": Band(2.2993, 0.075254),
        "Hill 5 %": Band(2.5361, 0.12691),
        "Hill 1 %": Band(2.0029, 0.12036),
        "excess kurtosis": Band(10.16, 5.2763),
        "skewness": Band(-0.58517, 0.15983),
        "deviation of returns": Band(0.029481, 0.000494),
        "ACF abs r, lag 1": Band(0.19332, 0.016544),
        "ACF abs r, lag 10": Band(0.13114, 0.011939),
    },
}
