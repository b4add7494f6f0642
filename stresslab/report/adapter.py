"""The one bridge from polars to pandas: seaborn 0.13 cannot read polars 2 frames."""

from __future__ import annotations

import pandas as pd
import polars as pl


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Return the same columns and rows as a pandas frame, through numpy, without pyarrow.

    Text and categories become plain objects, nulls become ``None`` in text and NaN in numbers.
    """
    return pd.DataFrame({name: _column(frame[name]) for name in frame.columns})


def _column(series: pl.Series) -> pd.Series:
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return pd.Series(series.to_numpy())
    return pd.Series(series.to_list(), dtype=object)
