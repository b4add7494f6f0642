"""Pair: long one perpetual, short another, for the same notional."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.traders.planning import Plan, Planner


@declared
class Pair:
    """Two perpetuals on opposite sides; the trader's leverage is that of both legs together."""

    can_shrink: ClassVar[bool] = False

    asset_weights: dict[str, float] = param(
        "How often an asset is a leg relative to others, 1 where none is given",
        factory=dict,
        gt=0,
        le=1e6,
    )

    def plan(self, planner: Planner) -> Plan:
        """Return two legs of equal notional, each the long one with equal chance."""
        plan = planner.empty()
        first = planner.choose(planner.counts(1), self.asset_weights)
        both = planner.choose(planner.counts(2), self.asset_weights)
        notional = planner.split(planner.budget * planner.leverage, both)
        side = planner.sides(share_long=0.5, correlation=1.0) * (2 * first - both)
        plan.position[:] = side * planner.affordable_lots(notional)
        plan.trades[:] = both
        planner.name_legs(plan, first, both - first)
        return plan
