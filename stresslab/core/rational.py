"""Exact numbers of published rules: prices, sizes and rates as rationals or floats.

A rule written with ``+ - * /`` and comparisons works for both. Rationals make thresholds and
roundings exact; floats are faster and enough where a square root or an exponential comes in.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeAlias

from stresslab.core.errors import StresslabError

#: An int, a float or a Fraction; type checkers know no type that the three share.
Number: TypeAlias = Any


def exact(value: Any) -> Fraction:
    """Return an int, a float or a decimal text as the rational that it is written as.

    A float is taken by its shortest decimal text: 0.1 is one tenth.

    >>> exact(0.1) == exact("0.1") == exact("1e-1")
    True

    Raises
    ------
    StresslabError
        When the value is no finite number.
    """
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise StresslabError(f"{value!r} is not a finite number or a decimal text") from error


def up_to(value: Number, step: Number) -> Number:
    """Return the smallest multiple of ``step`` at or above a value; step 0 leaves it as it is."""
    return math.ceil(value / step) * step if step else value


def down_to(value: Number, step: Number) -> Number:
    """Return the largest multiple of ``step`` at or below a value; step 0 leaves it as it is."""
    return math.floor(value / step) * step if step else value


def clamp(value: Number, lowest: Number, highest: Number) -> Number:
    """Return the value, or the bound that it passes."""
    return min(max(value, lowest), highest)


def require_positive(**values: Number) -> None:
    """Refuse a quantity that a rule divides by or that has no meaning at 0 or below.

    Raises
    ------
    StresslabError
        Naming the quantity and the value found.
    """
    for name, value in values.items():
        if not value > 0:
            raise StresslabError(f"{name}: {float(value):g} is not above 0")
