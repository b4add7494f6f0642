"""A venue's leverage table as it is published: brackets of notional with rising rates.

The engine compiles the same recursion to integers in ``tiers.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number


class TableRow(NamedTuple):
    """One bracket: ``MM(n) = n · rate - amount`` for ``floor < n <= next floor``, in USD."""

    floor: Number
    rate: Number  # maintenance margin, of notional
    amount: Number  # maintenance amount, the deduction c_k


def maintenance_amount(
    floor: Number, rate: Number, rate_before: Number, amount_before: Number
) -> Number:
    """Return the maintenance amount of a bracket in USD: ``c_(k-1) + F_k (m_k - m_(k-1))``.

    It makes the maintenance margin continuous where brackets meet.

    References
    ----------
    Binance, How to Calculate Liquidation Price of USD-M Futures Contracts; Hyperliquid, Margin
    tiers.

    >>> maintenance_amount(250_000, 0.01, rate_before=0.005, amount_before=50)
    1300.0
    """
    return amount_before + floor * (rate - rate_before)


def leverage_table(brackets: Sequence[tuple[Number, Number]]) -> tuple[TableRow, ...]:
    """Return the rows of a table given by (floor in USD, rate), the first floor being 0.

    Raises
    ------
    StresslabError
        When there is no bracket, the first floor is not 0, or floors or rates do not rise.
    """
    if not brackets or brackets[0][0] != 0:
        raise StresslabError("leverage table: the first bracket must start at 0 USD")
    rows = [TableRow(Fraction(0), brackets[0][1], Fraction(0))]
    for floor, rate in brackets[1:]:
        before = rows[-1]
        if floor <= before.floor or rate <= before.rate:
            raise StresslabError(
                f"leverage table: floor {float(floor):g} USD with rate {float(rate):g} must lie "
                f"above floor {float(before.floor):g} USD with rate {float(before.rate):g}"
            )
        amount = maintenance_amount(floor, rate, before.rate, before.amount)
        rows.append(TableRow(floor, rate, amount))
    return tuple(rows)


def row_of(table: Sequence[TableRow], notional: Number) -> TableRow:
    """Return the row whose bracket ``floor < notional <= next floor`` holds a notional."""
    row = table[0]
    for following in table[1:]:
        if notional <= following.floor:
            break
        row = following
    return row


def maintenance_of(table: Sequence[TableRow], notional: Number) -> Number:
    """Return the maintenance margin of a notional, both in USD: continuous and convex.

    >>> table = leverage_table([(0, 0.004), (50_000, 0.005)])
    >>> maintenance_of(table, 50_000), maintenance_of(table, 150_000)
    (200.0, 700.0)
    """
    row = row_of(table, notional)
    return notional * row.rate - row.amount


def brackets(table: Sequence[TableRow]) -> Iterator[tuple[TableRow, Number | None]]:
    """Yield each row with the notional at which it ends, None for the last."""
    for row, following in itertools.pairwise(table):
        yield row, following.floor
    yield table[-1], None
