"""What a person asks, checked: each wrong word or number is one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from stresslab.calculator.account import Holdings
from stresslab.calculator.bench import Leg
from stresslab.core.errors import ConfigError, StresslabError
from stresslab.core.rational import exact

SIDES = {"long": 1, "short": -1}
MODES = ("isolated", "cross")


def legs_of(
    side: int, quantity: Any, entry: Any, mark: Any, asset: str, others: Holdings | None, mode: str
) -> list[Leg]:
    """Return the position, then the rest of a cross account."""
    price = positive("entry", entry)
    size = positive("quantity", quantity)
    legs = [
        Leg(
            asset,
            "perpetual",
            side,
            size,
            price,
            price if mark is None else positive("mark", mark),
        )
    ]
    if others is None:
        return legs
    if mode != "cross":
        raise ConfigError("cross: other positions share a cross account; write --mode cross")
    for other in others.positions:
        if other.asset == asset:
            raise ConfigError(f"positions: {asset!r} is the position asked about; leave it out")
        at = exact(other.mark_usd)
        opened = at if other.entry_usd is None else exact(other.entry_usd)
        legs.append(
            Leg(other.asset, other.kind, SIDES[other.side], exact(other.quantity), opened, at)
        )
    return legs


def number(name: str, value: Any) -> Fraction:
    """Return a number exactly as it was written."""
    try:
        return exact(value)
    except StresslabError as error:
        raise ConfigError(f"{name}: {error}") from error


def positive(name: str, value: Any) -> Fraction:
    """Return a number above 0."""
    given = number(name, value)
    if given <= 0:
        raise ConfigError(f"{name}: {value} is not above 0")
    return given


def require(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not allowed, naming the nearest that is.

    Raises
    ------
    ConfigError
        Always with the name, the value and what is allowed.
    """
    if value not in allowed:
        near = get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{name}: {value!r} is unknown, allowed are {', '.join(allowed)}{hint}")
