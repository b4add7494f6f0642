"""Words on axes: taken from the declaration or table that defines the quantity, with its unit."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

#: A pure number between 0 and 1, shown in per cent.
FRACTION = "fraction"

#: The unit never stands alone on a line.
_JOINED = "\u00a0"

_PREFIXES = ((1e12, "T"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))


@dataclass(frozen=True)
class Label:
    """What a quantity is called and its unit (empty for a pure number)."""

    text: str
    unit: str = ""
    whole: str = ""  # what a fraction is of, such as "of the price"

    def __str__(self) -> str:
        text = self.text[:1].upper() + self.text[1:]
        unit = f"% {self.whole}".strip() if self.unit == FRACTION else self.unit
        unit = unit.replace(" ", _JOINED)
        return f"{text}{_JOINED}({unit})" if unit else text

    def wrapped(self, width: int = 28) -> str:
        """Return the label over as many lines as it needs; a word longer than a line is kept."""
        return textwrap.fill(str(self), width, break_long_words=False)


def number(value: float, unit: str = "") -> str:
    """Return a number as a tick shows it: ``0.25`` as ``25``, ``3.2e6`` USD as ``3.2 m``.

    >>> number(0.25, FRACTION), number(3_200_000, "USD"), number(12, "accounts")
    ('25', '3.2 m', '12')
    """
    if unit == FRACTION:
        return f"{100 * value:.4g}"
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g} {prefix}"
    return f"{value:.4g}"


def rounded(value: float, unit: str = "") -> str:
    """Return a number to two digits, as texts beside a picture show it.

    >>> rounded(1_159_000, "USD")
    '1.2 m'
    """
    return number(float(f"{value:.2g}"), unit)


def show_unit(axis: Axis, unit: str) -> None:
    """Write the ticks of an axis in per cent or with k, m, bn, T; the data stay as they are."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, unit).replace("-", "−")))


def short(name: str, width: int = 18) -> str:
    """Return a name cut in the middle, so that its distinct start and end both stay.

    >>> short("liquid_staking_token_of_a_chain")
    'liquid_st…_a_chain'
    """
    if len(name) <= width:
        return name
    head = width // 2
    return f"{name[:head]}…{name[len(name) - (width - head - 1) :]}"
