"""Long tables of a cell, for what one number a run cannot tell: small, and kept for every cell.

Which tables there are is said by whoever simulates the cell (``contagion/long.py``); a column is
text, whole numbers or floats, as its values are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from stresslab.results.archive import pack, unpack
from stresslab.results.frames import Tables


def pack_long(tables: Tables) -> bytes:
    """Return the long tables of a cell as the bytes of one file."""
    return pack({name: _frame(columns) for name, columns in tables.items()})


def unpack_long(content: bytes, table: str | None = None) -> dict[str, pl.DataFrame]:
    """Return the long tables of a cell as frames, or the one that is asked for."""
    return unpack(content, None if table is None else (table,))


def _frame(columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    return pl.DataFrame([_series(name, np.asarray(values)) for name, values in columns.items()])


def _series(name: str, values: np.ndarray) -> pl.Series:
    if values.dtype.kind in "OU":
        return pl.Series(name, [str(value) for value in values.tolist()], dtype=pl.String)
    kind = pl.Float64 if values.dtype.kind == "f" else pl.Int64
    return pl.Series(name, np.ascontiguousarray(values), dtype=kind)
