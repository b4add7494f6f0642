"""The shock size beyond which liquidation crosses into unshocked assets."""

from __future__ import annotations

import math

import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.frames import column, finished, groups, keys, table
from stresslab.analysis.intervals import LEVEL


def thresholds(
    frame: pl.DataFrame, size: str, outcome: str = "crossed", level: float = LEVEL
) -> pl.DataFrame:
    """Return the threshold over replicates: its median with the interval of order statistics.

    The threshold of a replicate is the smallest size of the grid from which on the outcome is above
    zero at every larger size too. Replicates that never get there count as beyond the grid: a
    median or an end among them is null, and ``share_never`` says how many they are.

    Parameters
    ----------
    frame
        The outcomes frame.
    size
        The column that holds the shock size, as a fraction.
    outcome
        What is asked for; replicates in which it is undefined everywhere are left out.
    level
        Level of the interval.
    """
    by, rows = [name for name in keys(frame) if name != size], []
    cells_with_size = finished(frame).filter(pl.col(size).is_not_null())
    for key, cells in groups(cells_with_size, by):
        found = [
            threshold
            for _, replicate in groups(cells, ["replicate"])
            if not math.isnan(threshold := _threshold(replicate, size, outcome))
        ]
        never = sum(map(math.isinf, found)) / len(found) if found else None
        rows.append([*key, outcome, len(found), *intervals.median(found, level), never])
    names = ("threshold", "low", "high", "share_never")
    return table(frame, by, rows, {"outcome": str, "n": int, **dict.fromkeys(names, float)})


def _threshold(cells: pl.DataFrame, size: str, outcome: str) -> float:
    """Return one replicate's threshold: infinite if never, NaN if undefined everywhere."""
    ordered = cells.sort(size)
    places = list(zip(ordered[size].to_list(), column(ordered, outcome), strict=True))
    defined = [(place, value) for place, value in places if not math.isnan(value)]
    if not defined:
        return math.nan
    threshold = math.inf
    for place, value in reversed(defined):
        if value <= 0:
            break
        threshold = float(place)
    return threshold
