"""Spot against perpetual: long the asset itself, short its perpetual, for the same notional."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.traders.planning import Plan, Planner


@declared
class SpotPerpetual:
    """Buys spot with part of its wealth and shorts the perpetual on the rest as margin.

    The trader's leverage is the notional of the short over the cash left as its margin.
    """

    can_shrink: ClassVar[bool] = False

    spot_of: dict[str, str] = param("Spot asset held against each perpetual, by name")

    def plan(self, planner: Planner) -> Plan:
        """Return long spot and short perpetual of equal notional."""
        plan = planner.empty()
        perpetual = planner.choose(planner.counts(1), {}, among=list(self.spot_of))
        notional = planner.budget * planner.leverage / (1.0 + planner.leverage)
        short = planner.affordable_lots(planner.split(notional, perpetual), n_paid=1)
        spot = planner.matching_spot(short, self.spot_of)
        plan.position[:] = spot - short
        plan.trades[:] = (spot > 0) | (short > 0)
        planner.name_legs(plan, spot > 0, perpetual)
        return plan

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.spot_of:
            yield "spot_of", "names no perpetual; at least one is needed"
