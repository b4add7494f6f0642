"""The price at which equity meets tiered maintenance margin, isolated, cross and hedged."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number
from stresslab.margin.leverage_table import TableRow, brackets


class Leg(NamedTuple):
    """One position whose maintenance margin at price X is ``quantity · X · rate - amount``."""

    side: int
    quantity: Number
    entry: Number
    rate: Number
    amount: Number = Fraction(0)


class TabledLeg(NamedTuple):
    """One position whose maintenance margin follows a leverage table."""

    side: int
    quantity: Number
    entry: Number
    table: Sequence[TableRow]


def linear(
    wallet: Number, legs: Sequence[Leg], other_profit: Number = 0, other_maintenance: Number = 0
) -> Number:
    """Return the one price of a symbol at which equity equals maintenance margin.

    ``X = (W + OU - OM + Σc - Σ s q E) / (Σ q m - Σ s q)``. One leg gives the one-way form, a long
    and a short leg of the symbol the form of hedge mode. At or below 0 no price liquidates.

    Parameters
    ----------
    wallet : isolated: the margin set aside; cross: the account's wallet; without unrealised profit
    legs : positions of the symbol, at most one a side
    other_profit, other_maintenance : unrealised profit and maintenance margin of the account's
        other cross positions at their marks; 0 when isolated

    References
    ----------
    Binance, How to Calculate Liquidation Price of USD-M Futures Contracts.

    >>> round(linear(2, [Leg(+1, 1, 10, rate=0.01, amount=0.01)]), 6)
    8.070707
    """
    slope = sum((leg.quantity * (leg.rate - leg.side) for leg in legs), Fraction(0))
    if slope == 0:
        raise StresslabError("liquidation price: the legs need the same margin at every price")
    free = wallet + other_profit - other_maintenance
    return (free + sum(leg.amount - leg.side * leg.quantity * leg.entry for leg in legs)) / slope


def linear_in_tables(
    wallet: Number,
    legs: Sequence[TabledLeg],
    other_profit: Number = 0,
    other_maintenance: Number = 0,
    mark: Number | None = None,
) -> Number:
    """Return the price of a symbol where the bracket is that of the notional *at that price*.

    Each bracket gives a price; the one whose notional lies in its bracket holds. A pair of legs
    may hold two, one below and one above: the one nearer the mark is meant. 0 when no price
    liquidates.

    References
    ----------
    Binance, as ``linear``; the note there on which notional picks the bracket.
    """
    found = []
    for rows in itertools.product(*(tuple(brackets(leg.table)) for leg in legs)):
        fixed = [
            Leg(leg.side, leg.quantity, leg.entry, row.rate, row.amount)
            for leg, (row, _) in zip(legs, rows, strict=True)
        ]
        price = linear(wallet, fixed, other_profit, other_maintenance)
        if all(_inside(leg.quantity * price, *row) for leg, row in zip(legs, rows, strict=True)):
            found.append(price)
    if not found:
        return Fraction(0)
    return found[0] if mark is None else min(found, key=lambda price: abs(price - mark))


def _inside(notional: Number, row: TableRow, end: Number | None) -> bool:
    return row.floor < notional and (end is None or notional <= end)
