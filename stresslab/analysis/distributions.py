"""Distributions of sizes over runs: how often a run is at least so large."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.frames import finished, groups, table, values
from stresslab.analysis.intervals import LEVEL


def ccdf(
    frame: pl.DataFrame,
    outcome: str,
    by: Sequence[str] = ("design", "arm", "control"),
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return the share of runs at least as large as each size seen, with Wilson's interval.

    Sizes are above zero; runs of size zero count among all runs. All points of a design are taken
    together unless ``by`` names them.
    """
    rows = []
    for key, cells in groups(finished(frame), by):
        found = sorted(values(cells, outcome))
        for size in sorted({value for value in found if value > 0}):
            larger = len(found) - bisect_left(found, size)
            rows.append([*key, outcome, size, *intervals.wilson(larger, len(found), level)])
    schema = {"outcome": str, "size": float, "at_least": float, "low": float, "high": float}
    return table(frame, by, rows, schema)


def pooled_ccdf(
    sizes: Sequence[np.ndarray], level: float = LEVEL
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return how often things that come in groups are at least so large, as ratio of sums.

    The share at a size is the number at least so large over all groups by the number of all; its
    interval leaves out one group after the other (jackknife), so that things of one group, such as
    the cascades of one run, need not be independent. Its ends fall with size as shares do: where
    they would not, they are set wider. Without a second group there is no interval: NaN.

    Parameters
    ----------
    sizes
        Sizes above zero, one array per group; groups may be empty.
    level
        Level of the interval.

    Returns
    -------
    Sizes that occur, ascending, and ``at_least``, ``low`` and ``high`` at each, within [0, 1].

    >>> seen, shares = pooled_ccdf([np.array([1.0, 4.0]), np.array([1.0])])
    >>> seen.tolist(), shares["at_least"].round(3).tolist()
    ([1.0, 4.0], [1.0, 0.333])
    """
    ordered = [np.sort(group) for group in sizes]
    seen = np.unique(np.concatenate(ordered))
    larger = np.array([len(g) - np.searchsorted(g, seen) for g in ordered])
    n = np.array([len(g) for g in ordered])
    share = larger.sum(axis=0) / n.sum()
    half = _jackknife_half(larger, n, level)
    low = np.minimum.accumulate(np.maximum(share - half, 0.0))
    high = np.maximum.accumulate(np.minimum(share + half, 1.0)[::-1])[::-1]
    return seen, {"at_least": share, "low": low, "high": high}


def _jackknife_half(larger: np.ndarray, n: np.ndarray, level: float) -> np.ndarray:
    """Return half the interval at each size; NaN unless every group can be left out."""
    groups, rest = len(n), n.sum() - n
    if groups < 2 or not rest.all():
        return np.full(larger.shape[1], np.nan)
    parts = (larger.sum(axis=0) - larger) / rest[:, np.newaxis]
    spread = ((parts - parts.mean(axis=0)) ** 2).sum(axis=0) * (groups - 1) / groups
    return intervals.student_quantile(groups - 1, level) * np.sqrt(spread)
