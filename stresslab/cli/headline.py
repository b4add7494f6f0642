"""The headline of a run as tables on the screen, one for each quantity of each design."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from stresslab.analysis.headline import CROSSED, ESTIMATE, SHARE, headline_text
from stresslab.report.factors import told_apart

if TYPE_CHECKING:
    from stresslab.api import Run

#: Columns of the screen where the output is no terminal.
PLAIN_WIDTH = 140
#: Points of a design beyond which its tables are read from their files, or seen as a figure.
MOST_POINTS = 40

_TITLES = {
    (SHARE, "difference"): "accounts liquidated: mean [95 % interval], paired difference",
    (CROSSED,): "liquidation reached an unshocked asset: probability [95 % interval]",
}


def show_headlines(run: Run) -> None:
    """Print the headline of every design."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    for design, numbers in run.headline().items():
        title = run.study["designs"][design]["title"] or design
        console.print(f"\n[bold]{title}[/]")
        n_points = numbers.select(_places(numbers)).n_unique()
        if n_points > MOST_POINTS:
            console.print(f"{n_points} points: see the figures and {run.path}/tables")
            continue
        for quantities, caption in _TITLES.items():
            asked = numbers.filter(pl.col("quantity").is_in(quantities))
            asked = asked.filter(pl.col("mid").is_not_null().any().over(_places(asked)))
            if asked.height:  # where all assets fall, nothing can cross
                console.print(caption)
                console.print(_table(asked))


def _places(numbers: pl.DataFrame) -> list[str]:
    return [name for name in numbers.columns if name not in ESTIMATE]


def _table(numbers: pl.DataFrame) -> Table:
    places = _places(numbers)
    empty = [name for name in places if numbers[name].is_null().all()]
    shown = numbers.drop(empty, "design", strict=False)
    parts = [column for column in shown.select(pl.col(pl.String)) if column.name in places]
    text = headline_text(shown.with_columns(_in_words(column) for column in parts))
    n_places = sum(name in places for name in text.columns)  # they stand before the numbers
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in text.columns:
        quantity, _, of = name.partition(": ")
        table.add_column(of or quantity, justify="right", overflow="fold")
    for row in text.rows():
        point = [_short(value) for value in row[:n_places]]
        table.add_row(*point, *(value or "" for value in row[n_places:]))
    return table


def _in_words(column: pl.Series) -> pl.Series:
    """Return interchangeable parts by as few words as tell them apart; other texts as they are."""
    words = told_apart(dict(enumerate(column)))
    return pl.Series(column.name, [words[row] for row in range(len(column))], dtype=pl.String)


def _short(value: object) -> str:
    """Return a place in the design as a cell shows it; a long list of assets by its number.

    >>> _short("BTC+ETH+SOL"), _short("BTC+ETH+SOL+XRP+DOGE"), _short(0.15), _short(None)
    ('BTC+ETH+SOL', '5 assets', '0.15', '')
    """
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text.count('+') + 1} assets" if text.count("+") > 2 else text
