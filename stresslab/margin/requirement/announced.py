"""Margin that a venue raises by announcement, from one time on."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param
from stresslab.margin.requirement.add_on import RATE_UNIT
from stresslab.margin.requirement.part import Opening, Running, Sight


@declared
class Announced:
    """Add-ons that begin at a time, whatever the market does, at once or along a line."""

    initial: float = param(
        "Add-on to initial margin rates", unit="of notional", default=0.0, ge=0, le=1
    )
    maintenance: float = param(
        "Add-on to maintenance margin rates", unit="of notional", default=0.0, ge=0, lt=1
    )
    at_seconds: float = param("When it begins, from the end of the burn-in", unit="s", ge=0)
    over_seconds: float = param(
        "Time over which it grows; 0 is at once", unit="s", default=0.0, ge=0
    )
    assets: tuple[str, ...] = param(
        "Perpetuals whose margin it changes; empty is all", factory=tuple
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.initial == self.maintenance == 0:
            yield "", "changes no margin; it needs 'initial', 'maintenance' or both above 0"

    def running(self, opening: Opening) -> Running:
        """Return the part at work."""
        return _Ramp(self)


class _Ramp:
    """The share of the announced add-ons that is in force."""

    def __init__(self, rules: Announced) -> None:
        self._rules, self._share = rules, 0.0

    def update(self, sight: Sight) -> None:
        passed = sight.seconds - self._rules.at_seconds
        length = self._rules.over_seconds
        self._share = 0.0 if passed < 0 else min(1.0, passed / length if length else 1.0)

    def initial(self, asset: int, rate: int) -> int:
        return round(self._rules.initial * self._share * RATE_UNIT)

    def maintenance(self, asset: int) -> int:
        return round(self._rules.maintenance * self._share * RATE_UNIT)
