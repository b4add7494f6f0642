"""The outcomes frame: one row per cell, its place in the design, its outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from stresslab.contagion.outcomes import OUTCOMES

#: Columns that say where a cell stands and how it went; what else is no outcome is a point.
PLACE = (
    "design",
    "point",
    "arm",
    "control",
    "replicate",
    "cell",
    "status",
    "error_type",
    "error",
)
DONE = "done"
FULL = "feedback"


def points(frame: pl.DataFrame) -> list[str]:
    """Return the columns that hold the varied parameters of a point."""
    return [name for name in frame.columns if name not in PLACE and name not in OUTCOMES]


def keys(frame: pl.DataFrame) -> list[str]:
    """Return the columns that tell the groups of replicates apart."""
    return ["design", *points(frame), "arm", "control"]


def finished(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that ran to their end."""
    return frame.filter(pl.col("status") == DONE)


def groups(
    frame: pl.DataFrame, by: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    """Yield key and cells of every group, both sorted, the cells by replicate."""
    ordered = frame.sort([*by, "replicate"], nulls_last=True, maintain_order=True)
    yield from ordered.partition_by(list(by), as_dict=True, maintain_order=True).items()


def values(cells: pl.DataFrame, outcome: str) -> list[float]:
    """Return the defined values of an outcome, in order of the cells."""
    return [value for value in column(cells, outcome) if not math.isnan(value)]


def column(cells: pl.DataFrame, outcome: str) -> list[float]:
    """Return an outcome cell by cell, NaN where it is undefined."""
    return cells[outcome].cast(pl.Float64).fill_null(math.nan).to_list()


def table(
    frame: pl.DataFrame,
    by: Sequence[str],
    rows: Sequence[Sequence[Any]],
    schema: Mapping[str, type],
) -> pl.DataFrame:
    """Return rows of key columns and further columns as a frame, also when there are none."""
    return pl.DataFrame(rows, {**{name: frame.schema[name] for name in by}, **schema}, orient="row")
