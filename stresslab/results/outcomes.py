"""Records of cells as one table: a row per cell, a column per outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from stresslab.results.records import Record

#: Columns before the outcomes.
HEAD = ("cell", "status", "error_type", "error")


def outcome_frame(records: Sequence[Record]) -> pl.DataFrame:
    """Return one row per record; an outcome that a cell does not have is null."""
    head = [pl.Series(name, [getattr(r, name) for r in records], dtype=pl.String) for name in HEAD]
    return pl.DataFrame([*head, *(_column(name, records) for name in _names(records))])


def _names(records: Iterable[Record]) -> list[str]:
    """Return the names of all outcomes, those of the first cell first."""
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record.outcomes))
    return list(names)


def _column(name: str, records: Sequence[Record]) -> pl.Series:
    values: list[Any] = [record.outcomes.get(name) for record in records]
    is_whole = all(isinstance(v, int) for v in values if v is not None)
    return pl.Series(name, values, dtype=pl.Int64 if is_whole else pl.Float64, strict=False)
