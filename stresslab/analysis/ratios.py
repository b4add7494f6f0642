"""Ratios of sums over replicates: branching and amplification, with jackknife intervals."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.contrasts import paired
from stresslab.analysis.frames import FULL, column, finished, groups, keys, table
from stresslab.analysis.intervals import LEVEL

#: Branching ratio by what is counted: column of the numerator, column of the denominator.
BRANCHING = {
    "notional": ("branching_numerator_usd", "branching_denominator_usd"),
    "count": ("branching_numerator_count", "branching_denominator_count"),
    "first_generation": ("branching_first_numerator_usd", "branching_first_denominator_usd"),
}
#: What amplification is stated on.
AMPLIFIED = ("forced_notional_usd", "system_loss_usd")
_RATIO = {"ratio": float, "low": float, "high": float}


def branching(frame: pl.DataFrame, level: float = LEVEL) -> pl.DataFrame:
    """Return branching ratios over the completed episodes of all replicates.

    One row per design, point, arm, control and unit (``notional``, ``count``,
    ``first_generation``); no ratio where nothing was liquidated.
    """
    by, rows = keys(frame), []
    for key, cells in groups(finished(frame), by):
        for unit, names in BRANCHING.items():
            parts, wholes = (column(cells, name) for name in names)
            ratio = intervals.ratio_of_sums(parts, wholes, level)
            rows.append([*key, unit, cells.height, *ratio])
    return table(frame, by, rows, {"unit": str, "n": int, **_RATIO})


def amplification(
    frame: pl.DataFrame,
    outcomes: Sequence[str] = AMPLIFIED,
    full: str = FULL,
    without: str = "no_feedback",
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return outcomes with feedback over the same without, as ratio of sums over pairs.

    One row per design, point, arm and outcome; no ratio where nothing happened without feedback.
    """
    by, rows = [name for name in keys(frame) if name != "control"], []
    both = finished(frame).filter(pl.col("control").is_in([full, without]))
    for key, cells in groups(both, by):
        if cells["control"].n_unique() < 2:
            continue
        for outcome in outcomes:
            pairs, _ = paired(cells, outcome, full, without, "control")
            parts, wholes = [a for a, _ in pairs], [b for _, b in pairs]
            ratio = intervals.ratio_of_sums(parts, wholes, level)
            rows.append([*key, outcome, f"{full} / {without}", len(pairs), *ratio])
    return table(frame, by, rows, {"outcome": str, "contrast": str, "n": int, **_RATIO})
