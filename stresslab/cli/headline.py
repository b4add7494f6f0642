"""The headline of a run as tables on the screen, one for each quantity of each design."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from stresslab.analysis.headline import CROSSED, ESTIMATE, SHARE, headline_text

if TYPE_CHECKING:
    from stresslab.api import Run

#: Columns of the screen where the output is no terminal.
PLAIN_WIDTH = 120

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
        for quantities, caption in _TITLES.items():
            console.print(caption)
            console.print(_table(numbers.filter(pl.col("quantity").is_in(quantities))))


def _table(numbers: pl.DataFrame) -> Table:
    places = [name for name in numbers.columns if name not in ESTIMATE]
    empty = [name for name in places if numbers[name].is_null().all()]
    text = headline_text(numbers.drop(empty, "design", strict=False))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in text.columns:
        quantity, _, of = name.partition(": ")
        table.add_column(of or quantity, justify="right", overflow="fold")
    for row in text.rows():
        table.add_row(*("" if value is None else _short(value) for value in row))
    return table


def _short(value: object) -> str:
    """Return a value as a cell shows it; a long list of assets by its number.

    >>> _short("BTC+ETH+SOL"), _short("BTC+ETH+SOL+XRP+DOGE"), _short(0.15)
    ('BTC+ETH+SOL', '5 assets', '0.15')
    """
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text.count('+') + 1} assets" if text.count("+") > 2 else text
