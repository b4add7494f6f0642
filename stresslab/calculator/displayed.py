"""The liquidation price that a venue shows, by its own published formula."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.rational import Number
from stresslab.margin.leverage_table import TableRow, row_of
from stresslab.margin.liquidation_price import (
    displayed_price,
    dydx,
    entry_maintenance,
    fee_inside,
    hyperliquid,
)


class Shown(NamedTuple):
    """What venues' formulas are made of, in USD; ``free`` is what the rest of the pool leaves."""

    side: int
    quantity: Fraction
    entry: Fraction
    mark: Fraction
    leverage: Fraction
    margin: Fraction  # of the position: posted when isolated, free of other positions when cross
    equity: Fraction  # of the pool
    other_maintenance: Fraction
    table: tuple[TableRow, ...]
    max_leverage: Fraction  # of the bracket
    taker_fee: Fraction
    tick: Fraction
    is_isolated: bool
    exact: Number  # where equity meets maintenance


def _tables(it: Shown) -> Number:
    return it.exact


def _entry(it: Shown) -> Number:
    """Bybit: maintenance frozen at entry when isolated."""
    if not it.is_isolated:
        return it.exact
    value = it.quantity * it.entry
    row = row_of(it.table, value)
    extra = it.margin - value / it.leverage
    return entry_maintenance(
        it.side, it.quantity, it.entry, it.leverage, row.rate, row.amount, extra
    )


def _fee(it: Shown) -> Number:
    """OKX: the fee to close is maintenance, at the rate of the bracket of the mark."""
    row = row_of(it.table, it.quantity * it.mark)
    start = it.entry if it.is_isolated else it.mark
    margin = it.margin if it.is_isolated else it.equity - it.other_maintenance
    return fee_inside(it.side, it.quantity, start, margin + row.amount, row.rate, it.taker_fee)


def _hyperliquid(it: Shown) -> Number:
    margin = it.equity - it.other_maintenance
    row = row_of(it.table, it.quantity * it.mark)
    return hyperliquid(it.side, it.quantity, it.mark, margin + row.amount, it.max_leverage)


def _dydx(it: Shown) -> Number:
    rate = row_of(it.table, it.quantity * it.mark).rate
    size = it.side * it.quantity
    return dydx(it.equity, size, it.mark, rate, it.other_maintenance)


FORMULAS: dict[str, Callable[[Shown], Number]] = {
    "tables": _tables,
    "entry": _entry,
    "fee": _fee,
    "hyperliquid": _hyperliquid,
    "dydx": _dydx,
}


def shown_price(formula: str, it: Shown) -> Number:
    """Return the price that a venue shows, on its tick grid; at or below 0 it shows none."""
    return displayed_price(FORMULAS[formula](it), it.side, it.tick)
