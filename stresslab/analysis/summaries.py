"""Outcomes over replicates: means, quantiles and probabilities with intervals.

Tables are long: one row per design, point, arm, control and outcome, sorted by these. ``n`` counts
the replicates in which the outcome is defined, ``n_undefined`` the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.frames import finished, groups, keys, table, values
from stresslab.analysis.intervals import LEVEL

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
_INTERVALS = {"student": intervals.student, "bootstrap": intervals.bootstrap}


def summarise(
    frame: pl.DataFrame,
    outcomes: Sequence[str],
    interval: str = "student",
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return mean with interval, standard deviation, extremes and quantiles of outcomes.

    ``interval`` is ``student`` or, for heavy tails, ``bootstrap``.
    """

    def describe(found: list[float]) -> list[float | None]:
        deviation = intervals.variance(found) ** 0.5 if len(found) > 1 else None
        return [*_INTERVALS[interval](found, level), deviation, *_quantiles(found)]

    names = ("mean", "low", "high", "deviation", "minimum", *QUANTILES, "maximum")
    return _long(frame, outcomes, describe, dict.fromkeys(names, float))


def _quantiles(found: list[float]) -> list[float | None]:
    places = [0.0, *QUANTILES.values(), 1.0]
    return np.quantile(found, places).tolist() if found else [None] * len(places)


def probabilities(
    frame: pl.DataFrame, outcomes: Sequence[str], above: float = 0.0, level: float = LEVEL
) -> pl.DataFrame:
    """Return the probability that an outcome is above a bound, with Wilson's interval."""

    def describe(found: list[float]) -> list[float | None]:
        successes = sum(value > above for value in found)
        return [successes, *intervals.wilson(successes, len(found), level)]

    return _long(frame, outcomes, describe, {"successes": int, **_named("probability")})


def tail_means(
    frame: pl.DataFrame, outcomes: Sequence[str], share: float = 0.1, level: float = LEVEL
) -> pl.DataFrame:
    """Return the mean of the largest ``share`` of values, with a bootstrap interval."""

    def tail_mean(found: Sequence[float]) -> float:
        return intervals.mean(sorted(found)[-max(1, round(len(found) * share)) :])

    def describe(found: list[float]) -> list[float | None]:
        return [*intervals.bootstrap(found, level, tail_mean)]

    return _long(frame, outcomes, describe, _named("tail_mean"))


def _named(estimate: str) -> dict[str, type]:
    return {estimate: float, "low": float, "high": float}


def _long(
    frame: pl.DataFrame,
    outcomes: Sequence[str],
    describe: Callable[[list[float]], list[Any]],
    schema: dict[str, type],
) -> pl.DataFrame:
    by, rows = keys(frame), []
    for key, cells in groups(finished(frame), by):
        for outcome in outcomes:
            found = values(cells, outcome)
            n = (outcome, len(found), cells.height - len(found))
            rows.append([*key, *n, *describe(found)])
    return table(frame, by, rows, {"outcome": str, "n": int, "n_undefined": int, **schema})
