"""Event tables as polars frames, and frames as Parquet bytes that depend on their content only."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from stresslab.core.events import FLOAT, INT, SMALL, TABLES, TEXT

Tables = dict[str, dict[str, np.ndarray]]

_TYPES: dict[str, Any] = {INT: pl.Int64, SMALL: pl.Int32, FLOAT: pl.Float64, TEXT: pl.String}
ROW_GROUP = 1 << 20  # rows; fixed, so that equal frames are equal files
COMPRESSION_LEVEL = 3


def to_frame(table: str, columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Return one event table as a frame with the declared columns and types."""
    return pl.DataFrame([_series(c.name, columns[c.name], _TYPES[c.type]) for c in TABLES[table]])


def _series(name: str, values: np.ndarray, kind: Any) -> pl.Series:
    plain: Any = values.tolist() if kind is pl.String else np.ascontiguousarray(values)
    return pl.Series(name, plain, dtype=kind)


def to_columns(table: str, frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return a frame as the numpy columns that the event log held."""
    return {c.name: _array(frame[c.name], c.type) for c in TABLES[table]}


def _array(series: pl.Series, kind: str) -> np.ndarray:
    if kind == TEXT:
        return np.array(series.to_list(), dtype=object)
    return series.to_numpy().astype(kind, copy=False)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as Parquet: one chunk, fixed row groups, no statistics."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(
        buffer,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        statistics=False,
        row_group_size=ROW_GROUP,
    )
    return buffer.getvalue()


def read_parquet(content: bytes) -> pl.DataFrame:
    """Return the frame that Parquet bytes hold; check their sum first, polars does not."""
    return pl.read_parquet(io.BytesIO(content))
