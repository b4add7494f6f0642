"""Ticks and lots fine enough for the prices and sizes that somebody asks about."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.errors import ConfigError
from stresslab.core.rational import Number

DIGITS = 6  # of a price, at least
PARTS = 1000  # lots of a quantity, at least
FINEST = 12  # decimals of a tick or a lot


class Grid(NamedTuple):
    """Smallest steps of price, in USD, and of quantity."""

    tick: Fraction
    lot: Fraction

    def ticks(self, price: Number) -> int:
        """Return a price on the grid in ticks."""
        return _whole(Fraction(price) / self.tick, "price", price)

    def lots(self, quantity: Number) -> int:
        """Return a quantity on the grid in lots."""
        return _whole(Fraction(quantity) / self.lot, "quantity", quantity)


def grid_for(
    prices: Iterable[Fraction], quantities: Iterable[Fraction], tick: Fraction | None = None
) -> Grid:
    """Return the coarsest decimal grid that holds them, fine enough to cut a position in parts.

    Prices get six digits, and quantities a thousand lots, as far as money stays whole.

    Raises
    ------
    ConfigError
        When a tick times a lot is no whole number of micro-USD, as the engine's money is.
    """
    prices = list(prices)
    quantities = list(quantities)
    finest = 1 / (1_000_000 * (tick or min(_step(price) for price in prices)))
    parts = [_power_below(quantity / PARTS) for quantity in quantities]
    lot = min(*(_step(quantity) for quantity in quantities), max(finest, min(parts)))
    wanted = max(_six_digits(max(prices)), 1 / (1_000_000 * lot))
    step = tick or min(wanted, *(_step(price) for price in prices))
    unit = step * lot * 1_000_000
    if unit < 1:
        raise ConfigError(
            f"a price step of {float(step):g} USD and a quantity step of {float(lot):g} make "
            f"{float(unit):g} micro-USD; write fewer decimals: it must be 1 at least"
        )
    return Grid(step, lot)


def _six_digits(price: Fraction) -> Fraction:
    """Return a number whose last decimal is the sixth digit of a price."""
    step = Fraction(1)
    while price / step < 10 ** (DIGITS - 1) and step > Fraction(1, 10**FINEST):
        step /= 10
    return step


def _power_below(value: Fraction) -> Fraction:
    """Return the largest power of ten, 1 at most, that a number holds."""
    step = Fraction(1)
    while step > value and step > Fraction(1, 10**FINEST):
        step /= 10
    return step


def _step(value: Fraction) -> Fraction:
    """Return the power of ten, 1 at most, of the last decimal of a number."""
    step = Fraction(1)
    while (value / step).denominator != 1 and step > Fraction(1, 10**FINEST):
        step /= 10
    return step


def _whole(count: Fraction, what: str, value: Number) -> int:
    if count.denominator != 1:
        raise ConfigError(f"{what} {float(value):g} is not on the grid; it has too many decimals")
    return int(count)
