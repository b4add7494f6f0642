"""What a config says about a mode's pools: their margin, and how they are closed."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures import CLOSURES, Closure
from stresslab.liquidation.closures.least_to_restore import LeastToRestore
from stresslab.liquidation.closures.whole import Whole
from stresslab.margin.rules import MarginRules, ModeRules


@declared
class ModeWithClosure(ModeRules):
    """Attributes of the pools of one margin mode; every rule asks these, none asks the mode."""

    closure: Closure = param("What is closed of a breached pool in a round", kinds=CLOSURES)


def _isolated() -> ModeWithClosure:
    return ModeWithClosure(closure=Whole(), penalty_rate=0.0125, initial_margin_factor=1.25)


def _cross() -> ModeWithClosure:
    return ModeWithClosure(closure=LeastToRestore(), penalty_rate=0.005)


@declared
class MarginAndClosure(MarginRules):
    """Margin of the venue: brackets, modes, alerts and how isolated positions are funded."""

    isolated: ModeWithClosure = param("Pools of one position", factory=_isolated)
    cross: ModeWithClosure = param("Pools of a whole account", factory=_cross)

    def faults(self) -> Iterator[tuple[str, str]]:
        yield from super().faults()
        if self.portfolio is not None and self.cross.closure.measures_legs:
            free = ", ".join(kind for kind, part in CLOSURES.items() if not part.measures_legs)
            yield (
                "cross.closure",
                f"measures legs by brackets; under portfolio margin use one of {free}",
            )
