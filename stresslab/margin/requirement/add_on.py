"""Add-ons to margin rates that follow a reading of the market: floor, cap and speed limit."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from stresslab.core.declarations import declared, param

RATE_UNIT = 1_000_000_000  # rates are integers in 1e-9 of the notional


@declared
class AddOn:
    """``multiple · (reading - above)`` within ``[floor, cap]``, no faster than its limits."""

    multiple: float = param("Add-on per unit of the reading", unit="x", gt=0, le=1e6)
    above: float = param(
        "Reading above which the add-on grows", unit="of price", default=0.0, ge=0, le=1e6
    )
    floor: float = param("Lowest add-on", unit="of notional", default=0.0, ge=0, lt=1)
    cap: float = param("Highest add-on", unit="of notional", default=0.5, gt=0, le=1)
    rise_per_second: float | None = param(
        "Fastest rise of the add-on; empty is at once",
        unit="of notional per s",
        default=None,
        gt=0,
    )
    fall_per_second: float | None = param(
        "Fastest fall of the add-on; empty is at once",
        unit="of notional per s",
        default=None,
        gt=0,
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.floor > self.cap:
            yield "floor", f"{self.floor:g} of notional is above the cap, {self.cap:g}"

    def target(self, reading: float) -> int:
        """Return the add-on that a reading asks for, in 1e-9 of the notional.

        >>> AddOn(multiple=3.0, above=0.01, cap=0.1).target(0.02)
        30000000
        """
        asked = self.multiple * max(reading - self.above, 0.0)
        return round(min(max(asked, self.floor), self.cap) * RATE_UNIT)


class Followed:
    """Where an add-on stands for each asset; no rule is an add-on of 0."""

    def __init__(self, rule: AddOn | None, readings: list[float], step_seconds: float) -> None:
        self._rule = rule
        self._rise = _most_per_step(rule.rise_per_second if rule else None, step_seconds)
        self._fall = _most_per_step(rule.fall_per_second if rule else None, step_seconds)
        self.now = [rule.target(reading) if rule else 0 for reading in readings]

    def follow(self, readings: list[float]) -> None:
        """Move every asset's add-on towards what its reading asks for, one step of time."""
        if self._rule is None:
            return
        for asset, reading in enumerate(readings):
            wanted = self._rule.target(reading) - self.now[asset]
            self.now[asset] += min(max(wanted, -self._fall), self._rise)


def _most_per_step(per_second: float | None, step_seconds: float) -> int:
    """Return the largest change in one step, in 1e-9, at least 1 so that it gets there."""
    if per_second is None:
        return RATE_UNIT
    return max(1, round(Fraction(str(per_second)) * Fraction(str(step_seconds)) * RATE_UNIT))
