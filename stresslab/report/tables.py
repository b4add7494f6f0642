"""Tables of the report: finished numbers written as HTML for people, CSV and Parquet beside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path

import polars as pl

from stresslab.core.errors import StorageError
from stresslab.report.labels import Label, number

#: Rows of a long table that a page shows; the files hold all of them.
MOST_ROWS = 200

NOTHING = "–"

#: Letters from which on a text may take several lines.
LONG = 48


def html_table(frame: pl.DataFrame, labels: Mapping[str, Label] | None = None) -> str:
    """Return a frame as an HTML table: numbers to the right, headings with units."""
    labels = labels or {}
    names = [str(_label(n, labels)).replace("\u00a0", " ") for n in frame.columns]
    heads = [f"<th scope='col'>{escape(name)}</th>" for name in names]
    rows = [_row(frame, row, labels) for row in frame.head(MOST_ROWS).iter_rows()]
    more = frame.height - MOST_ROWS
    foot = f"<p class='note'>{more:,} more rows in the file beside.</p>" if more > 0 else ""
    body = "\n".join(rows)
    return (
        f"<div class='wide'><table>\n<thead><tr>{''.join(heads)}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>{foot}"
    )


def _row(frame: pl.DataFrame, row: tuple[object, ...], labels: Mapping[str, Label]) -> str:
    cells = zip(frame.columns, frame.dtypes, row, strict=True)
    return f"<tr>{''.join(_cell(n, d.is_numeric(), v, labels) for n, d, v in cells)}</tr>"


def _cell(name: str, is_number: bool, value: object, labels: Mapping[str, Label]) -> str:
    text = cell_text(value, _label(name, labels).unit)
    kind = " class='number'" if is_number else " class='long'" if len(text) > LONG else ""
    return f"<td{kind}>{escape(text)}</td>"


def cell_text(value: object, unit: str = "") -> str:
    """Return a value as a table shows it; what is missing or undefined is a dash.

    >>> cell_text(0.125, "fraction"), cell_text(3_200_000.0, "USD"), cell_text(None)
    ('12.5', '3.2 m', '–')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return number(value, unit).replace("-", "−")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _label(name: str, labels: Mapping[str, Label]) -> Label:
    return labels.get(name, Label(name.replace("_", " ")))


def write_tables(frames: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each frame as ``NAME.csv`` and ``NAME.parquet``; lists become text in the CSV."""
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            paths += write_frame(frame, folder / name)
    except OSError as error:
        raise StorageError(f"{folder}: the tables cannot be written: {error}") from error
    return paths


def write_frame(frame: pl.DataFrame, stem: Path) -> list[Path]:
    """Write one frame beside a figure or as a table, the same bytes each time."""
    flat = frame.with_columns(pl.col(pl.List(pl.String)).list.join(" "))
    table, typed = stem.with_name(f"{stem.name}.csv"), stem.with_name(f"{stem.name}.parquet")
    flat.write_csv(table)
    frame.rechunk().write_parquet(typed, row_group_size=100_000, statistics=False)
    return [table, typed]
