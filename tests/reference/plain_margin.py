"""Margin as the text has it, position by position, in Fractions: from a plain config alone.

Written from the published recursion ``MM(n) = n m_k - c_k`` with ``c_k = c_(k-1) + F_k (m_k -
m_(k-1))`` and the words of the model page, without the engine's code. Money is micro-USD, prices
are ticks; every margin of a position is rounded up. Rates are whole billionths of the notional:
that of initial margin is one over the leverage, rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

MICRO_USD = 1_000_000
NANO = Fraction(1, 10**9)


def exact(number: Any) -> Fraction:
    """Return the decimal that a config writes."""
    return Fraction(str(number))


class Row(NamedTuple):
    """A bracket: notional above which it holds, maintenance and initial rate."""

    floor: Fraction
    rate: Fraction
    initial: Fraction


@dataclass
class Contract:
    """A perpetual or a spot asset with its table."""

    name: str
    is_spot: bool
    unit: int  # micro-USD of one tick times one lot
    rows: list[Row]
    addition: Fraction = Fraction(1)  # spot: what does not back openings, beyond the haircut

    def maintenance(self, notional: int) -> Fraction:
        """Return ``n m_k - c_k`` for ``F_k < n <= F_(k+1)``."""
        amount, before = Fraction(0), self.rows[0]
        for row in self.rows[1:]:
            if notional <= row.floor:
                break
            amount += row.floor * (row.rate - before.rate)
            before = row
        return notional * before.rate - amount

    def initial(self, notional: int, factor: Fraction) -> int:
        """Return the whole notional at the rate of its bracket, times the mode's factor."""
        if self.is_spot:
            return notional
        row = [r for r in self.rows if r.floor < notional or r is self.rows[0]][-1]
        return math.ceil(math.ceil(notional * row.initial) * factor)

    def backing(self, value: int) -> int:
        """Return what of a spot holding backs the opening of perpetuals."""
        haircut = math.ceil(self.maintenance(value)) + math.ceil(value * self.addition)
        return max(0, value - haircut) if self.addition < 1 else 0

    def price_met(self, side: int, lots: int, money: Fraction) -> Fraction | None:
        """Return the price at which ``money + s q P`` meets maintenance margin, in ticks.

        Of every bracket the price is solved; the one whose notional lies in its bracket holds
        (Binance, How to Calculate Liquidation Price). None if there is no such price above 0.
        """
        size, amount = lots * self.unit, Fraction(0)
        ends: list[Any] = [row.floor for row in self.rows[1:]] + [None]
        for k, (row, end) in enumerate(zip(self.rows, ends, strict=True)):
            if k:
                amount += row.floor * (row.rate - self.rows[k - 1].rate)
            price = (money + amount) / (size * (row.rate - side))
            if row.floor < size * price and (end is None or size * price <= end):
                return price
        return None


def perpetual(name: str, unit: int, rows: list[dict[str, Any]], cap: Any = 1000) -> Contract:
    """Return a perpetual of a config's brackets; ``cap`` is on leverage."""
    return Contract(name, False, unit, [
        Row(exact(row["floor_usd"]) * MICRO_USD, exact(row["maintenance_rate"]),
            math.ceil(1 / min(exact(row["max_leverage"]), exact(cap)) / NANO) * NANO)
        for row in rows
    ])  # fmt: skip


def spot(name: str, unit: int, rules: dict[str, Any] | None, haircut: Any) -> Contract:
    """Return a spot asset: one haircut, or slices of its value."""
    if rules is None:
        return Contract(name, True, unit, [Row(Fraction(0), exact(haircut), Fraction(1))])
    tiers = rules.get("tiers") or [{"floor_usd": 0, "haircut": rules["haircut"]}]
    rows = [Row(exact(t["floor_usd"]) * MICRO_USD, exact(t["haircut"]), Fraction(1)) for t in tiers]
    return Contract(name, True, unit, rows, exact(rules.get("initial_addition", 0)))
