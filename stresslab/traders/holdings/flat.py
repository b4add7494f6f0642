"""Flat: no position, all assets of the group to trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared

if TYPE_CHECKING:
    from stresslab.traders.planning import Plan, Planner


@declared
class Flat:
    """Starts with its wealth in the wallet and trades every asset of its group."""

    can_shrink: ClassVar[bool] = True

    def plan(self, planner: Planner) -> Plan:
        """Return a plan without positions."""
        plan = planner.empty()
        plan.trades[planner.assets] = 1
        return plan
