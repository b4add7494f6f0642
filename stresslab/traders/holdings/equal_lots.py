"""Equal lots: everybody holds the same position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.traders.planning import Plan, Planner


@declared
class EqualLots:
    """Holds the same signed lots of each named asset, whatever the trader's wealth.

    Wealth alone then decides at which price a position is liquidated: wealth that is uniform makes
    a uniform field of liquidation prices.
    """

    can_shrink: ClassVar[bool] = False

    lots: dict[str, int] = param(
        "Position in each asset held, signed", unit="lots", ge=-(10**12), le=10**12
    )

    def plan(self, planner: Planner) -> Plan:
        """Return the same position for everybody."""
        plan = planner.empty()
        for name, lots in self.lots.items():
            asset = planner.instruments.names.index(name)
            plan.position[asset] = lots
            plan.trades[asset] = 1
        return plan

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.lots:
            yield "lots", "names no asset; at least one is needed"
