"""Reads the inputs of a worked example: exact numbers, sides and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from stresslab.core.errors import StresslabError
from stresslab.core.rational import exact

SIDES = {"long": 1, "buy": 1, "short": -1, "sell": -1}


class Inputs:
    """The inputs of one example. A value of None counts as not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, *names: str, default: Any = None) -> Any:
        """Return the first of the named inputs that is given, else the default.

        Raises
        ------
        StresslabError
            When none is given and there is no default.
        """
        for name in names:
            if name in self.values:
                return self.values[name]
        if default is None:
            raise StresslabError(f"input {names[0]!r} is missing; given are {sorted(self.values)}")
        return default

    def number(self, *names: str, default: float | Fraction | None = None) -> Fraction:
        """Return the first of the named inputs that is given, exactly."""
        return exact(self.get(*names, default=default))

    def others(self, *words: str) -> Fraction:
        """Return what is said of the account's other positions, e.g. ``other_mm``; 0 if nothing."""
        for name, value in self.values.items():
            if "other" in name and any(word in name for word in words):
                return exact(value)
        return Fraction(0)

    @property
    def side(self) -> int:
        """+1 long, -1 short: as named, else by the sign of the quantity."""
        if "side" not in self.values:
            return -1 if self.number("size", "qty", "position", default=1) < 0 else 1
        return side_of(self.values["side"])

    @property
    def quantity(self) -> Fraction:
        """Base coins without sign, or contracts times what one contract holds."""
        if "contracts" in self.values and "qty" not in self.values:
            return abs(self.number("contracts") * self.contract_value)
        return abs(self.number("qty", "size"))

    @property
    def contract_value(self) -> Fraction:
        """What one contract holds, 1 unless given."""
        return self.number("contract_value", "contract_size", "multiplier", default=1)


def side_of(value: Any) -> int:
    """Return +1 for long or buy, -1 for short or sell; signed numbers are taken by sign."""
    if isinstance(value, str) and value.lower() in SIDES:
        return SIDES[value.lower()]
    number = exact(value)
    if number == 0:
        raise StresslabError(f"side {value!r} is none of {', '.join(SIDES)}, nor signed")
    return 1 if number > 0 else -1
