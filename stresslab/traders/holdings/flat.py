"""Flat: no position, all assets of the group to trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.traders.planning import Plan, Planner


@declared
class Flat:
    """Starts with its wealth in the wallet and trades the assets of its group, or one of them."""

    can_shrink: ClassVar[bool] = True

    is_specialised: bool = param(
        "Whether each trader trades one asset only; the assets are dealt out in turn by id",
        default=False,
    )

    def plan(self, planner: Planner) -> Plan:
        """Return a plan without positions."""
        plan = planner.empty()
        if not self.is_specialised:
            plan.trades[planner.assets] = 1
            return plan
        for place, asset in enumerate(planner.assets):
            plan.trades[asset] = planner.ids % planner.assets.size == place
        return plan
