"""What removals did and how well they were foretold, over replicates of one point and arm."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from stresslab.analysis.intervals import LEVEL, Interval, mean, student
from stresslab.contagion.importance import PREDICTIONS, SAYERS, SCORES, rank_correlation

#: Counted over all removals of accounts, beside the others that they are counted among.
_COUNTS = ("saved", "felled", "passive", "passive_saved")


class Importance(NamedTuple):
    """What all removals from a cell and its replicates did, and how well forecasts told it."""

    cell: str  # the first
    removals: dict[str, list[Any]]  # columns, a row per cell and removal
    effects: dict[str, list[Any]]  # columns, a row per removal: see ``by_removal``
    forecasts: dict[str, list[Any]]  # columns, a row per forecast


def importance(removals: dict[str, list[Any]], level: float = LEVEL) -> Importance:
    """Sum up removals, the columns of ``stresslab.experiment.importance.leave_out``."""
    return Importance(
        removals["cell"][0], removals, by_removal(removals, level), forecasts(removals, level)
    )


def forecasts(removals: Mapping[str, Sequence[Any]], level: float = LEVEL) -> dict[str, list[Any]]:
    """Return how well each forecast told who is saved, and which accounts matter.

    ``auc`` is the chance to rank a saved account above one that falls, within removals of accounts
    that save some and not all: the mean over replicates of a replicate's mean, with Student's
    interval, cut to [0, 1]; ``least_auc`` is that of the worst removal and ``n_auc`` their number.
    ``passive_auc`` is the same among accounts that had no stop triggered, topped up nothing, cut
    nothing and held at their breach what they had opened with. ``rank_correlation`` is with the
    forced notional that others are spared, by replicate. ``foretold`` and ``right`` count rescues,
    as yes or no, in all removals of accounts; ``others`` fell in the original, of whom ``saved``
    did not, ``passive`` and ``passive_saved`` are those of them who only held, ``felled`` is new.

    Returns
    -------
    Columns, a row per forecast.
    """
    frame = pl.DataFrame(removals, infer_schema_length=None).filter(kind="account")
    rows = [_forecast(frame, name, level) for name in SCORES]
    return {name: [row[name] for row in rows] for name in rows[0]}


def by_removal(removals: Mapping[str, Sequence[Any]], level: float = LEVEL) -> dict[str, list[Any]]:
    """Return the saved and the newly felled of each removal, means over replicates.

    Accounts are other people in every replicate: of several, the first is the largest of each.
    """
    frame = pl.DataFrame(removals, infer_schema_length=None)
    is_alone = frame["cell"].n_unique() == 1
    found: list[dict[str, Any]] = []
    for label, rows in _labelled(frame, is_alone=is_alone):
        row: dict[str, Any] = {"removal": label, "kind": rows["kind"][0], "n": rows.height}
        for name in ("saved", "felled", "saved_usd", "fell"):
            least = -math.inf if name == "saved_usd" else 0.0
            found_of = student(rows[name].cast(pl.Float64).to_list(), level)
            row |= _named(name, _within(found_of, least, math.inf))
        for name in SAYERS:
            row |= {
                column: int(rows[column].sum()) for column in (f"{name}_saved", f"{name}_right")
            }
        found.append(row)
    return {name: [row[name] for row in found] for name in found[0]}


def _labelled(frame: pl.DataFrame, *, is_alone: bool) -> Iterator[tuple[str, pl.DataFrame]]:
    place = pl.col("place").cast(pl.String)
    number = pl.col("name") if is_alone else pl.lit("#") + place
    label = pl.when(pl.col("kind") == "account").then(number).otherwise(pl.col("name"))
    named = frame.with_columns(label=pl.col("kind") + " " + label)
    for name in named["label"].unique(maintain_order=True):
        yield name, named.filter(label=name)


def _forecast(frame: pl.DataFrame, name: str, level: float) -> dict[str, Any]:
    row: dict[str, Any] = {"forecast": name, "n_replicates": frame["cell"].n_unique()}
    for area in ("auc", "passive_auc"):
        row |= _area(frame, area, name, level)
    ranks = student(_correlations(frame, name), level)
    row |= _named("rank_correlation", _within(ranks, -1.0, 1.0))
    says = name in SAYERS
    row["foretold"] = int(frame[f"{name}_saved"].sum()) if says else None
    row["right"] = int(frame[f"{name}_right"].sum()) if says else None
    counts = {"others": "fell", **{name: name for name in _COUNTS}}
    return row | {name: int(frame[column].sum()) for name, column in counts.items()}


def _area(frame: pl.DataFrame, area: str, name: str, level: float) -> dict[str, Any]:
    found = [_defined(rows[f"{area}_{name}"]) for rows in _replicates(frame)]
    every = [value for values in found for value in values]
    interval = student([mean(values) for values in found if values], level)
    return _named(area, _within(interval, 0.0, 1.0)) | {
        f"least_{area}": min(every, default=None),
        f"n_{area}": len(every),
    }


def _within(found: Interval, least: float, most: float) -> Interval:
    """Cut an interval to what its estimate can be: Student's knows no bounds."""
    if found.low is None or found.high is None:
        return found
    return Interval(found.mid, max(found.low, least), min(found.high, most))


def _correlations(frame: pl.DataFrame, name: str) -> list[float]:
    columns = {f"{p.removesuffix('_usd')}": p for p in PREDICTIONS}
    columns["trigger_share"] = columns.pop("trigger")
    if name not in columns:
        return []
    found = [
        rank_correlation(np.array(rows[columns[name]], float), np.array(rows["saved_usd"], float))
        for rows in _replicates(frame)
    ]
    return [value for value in found if not math.isnan(value)]


def _replicates(frame: pl.DataFrame) -> list[pl.DataFrame]:
    return [frame.filter(cell=cell) for cell in frame["cell"].unique(maintain_order=True)]


def _defined(values: pl.Series) -> list[float]:
    return [value for value in values.to_list() if value is not None and not math.isnan(value)]


def _named(name: str, found: Interval) -> dict[str, float | None]:
    return {name: found.mid, f"{name}_low": found.low, f"{name}_high": found.high}
