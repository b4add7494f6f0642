"""Distributions of sizes over runs: how often a run is at least so large."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

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
