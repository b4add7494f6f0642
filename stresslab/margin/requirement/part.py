"""What a part of a dynamic requirement is, what it may see, and how a reading becomes add-ons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from stresslab.core.declarations import declared, param
from stresslab.margin.requirement.add_on import AddOn, Followed


class Sight(NamedTuple):
    """What parts may see after the marks of a step are set; lists are by asset."""

    seconds: float  # since the end of the burn-in
    marks: list[int]  # ticks
    index: list[int]  # ticks
    depth_usd: Callable[[], list[float]]  # of the thinner side, within 1 % of the mark
    open_interest: Callable[[], list[int]]  # micro-USD, long positions of the traders


class Opening(NamedTuple):
    """What is known before the first step; lists are by asset."""

    step_seconds: float
    prices: list[int]  # ticks
    calm_volatility: list[float]  # of a step, from the index model


class Running(Protocol):
    """A part at work: the add-ons that it makes now, in 1e-9 of the notional."""

    def update(self, sight: Sight) -> None:
        """Take in what happened in a step."""

    def initial(self, asset: int, rate: int) -> int:
        """Return the add-on to an initial margin rate."""

    def maintenance(self, asset: int) -> int:
        """Return the add-on to every maintenance margin rate of an asset."""


class Meter(Protocol):
    """Reads one number for each asset; the add-ons follow it."""

    first: list[float]  # readings before the first step

    def read(self, sight: Sight) -> list[float]:
        """Return the reading of each asset."""


@declared
class FollowingPart:
    """Add-ons that follow a reading: of initial margin, of maintenance margin, or of both."""

    initial: AddOn | None = param("Add-on to initial margin rates", default=None)
    maintenance: AddOn | None = param("Add-on to maintenance margin rates", default=None)
    assets: tuple[str, ...] = param(
        "Perpetuals whose margin it changes; empty is all", factory=tuple
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.initial is None and self.maintenance is None:
            yield "", "changes no margin; it needs 'initial', 'maintenance' or both"

    def meter(self, opening: Opening) -> Meter:
        """Return what reads the market for this part."""
        raise NotImplementedError

    def running(self, opening: Opening) -> Running:
        """Return the part at work, standing at the add-ons of the first readings."""
        return _Following(self, self.meter(opening), opening.step_seconds)


class _Following:
    """A reading and the two add-ons that follow it."""

    def __init__(self, part: FollowingPart, meter: Meter, step_seconds: float) -> None:
        self._meter = meter
        self._initial = Followed(part.initial, meter.first, step_seconds)
        self._maintenance = Followed(part.maintenance, meter.first, step_seconds)

    def update(self, sight: Sight) -> None:
        readings = self._meter.read(sight)
        self._initial.follow(readings)
        self._maintenance.follow(readings)

    def initial(self, asset: int, rate: int) -> int:
        return self._initial.now[asset]

    def maintenance(self, asset: int) -> int:
        return self._maintenance.now[asset]
