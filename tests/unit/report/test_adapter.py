"""Columns arrive in pandas as they left polars."""

from __future__ import annotations

import math

import polars as pl

from stresslab.report.adapter import to_pandas


def test_numbers_text_categories_and_gaps_arrive() -> None:
    frame = pl.DataFrame(
        {
            "n": [3, 1, 2],
            "x": [0.5, None, math.nan],
            "text": ["b", None, "a"],
            "asset": pl.Series(["ETH", "BTC", "ETH"], dtype=pl.Enum(["BTC", "ETH"])),
            "yes": [True, False, True],
        }
    )
    table = to_pandas(frame)
    assert list(table.columns) == frame.columns
    assert table["n"].tolist() == [3, 1, 2]
    assert table["x"][0] == 0.5
    assert table["x"].isna().tolist() == [False, True, True]
    assert table["text"].tolist() == ["b", None, "a"]
    assert table["asset"].tolist() == ["ETH", "BTC", "ETH"]
    assert table["yes"].tolist() == [True, False, True]


def test_an_empty_frame_keeps_its_columns() -> None:
    table = to_pandas(pl.DataFrame(schema={"a": pl.Int64, "b": pl.String}))
    assert list(table.columns) == ["a", "b"]
    assert len(table) == 0
