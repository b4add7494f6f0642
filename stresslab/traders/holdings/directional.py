"""Directional: leveraged positions in one or several perpetuals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    import numpy as np

    from stresslab.traders.planning import Plan, Planner


@declared
class Directional:
    """Holds positions at the trader's leverage, split over a drawn number of perpetuals.

    With ``direction_correlation`` 1 an account is all long or all short, with 0 each position takes
    its own side; the share of longs is the same in both cases.
    """

    #: Balancing longs against shorts may make these positions smaller.
    can_shrink: ClassVar[bool] = True

    number_weights: tuple[float, ...] = param(
        "Weights of holding 1, 2, 3 ... perpetuals", default=(1.0,), ge=0, le=1e6
    )
    asset_weights: dict[str, float] = param(
        "How often an asset is held relative to others, 1 where none is given",
        factory=dict,
        gt=0,
        le=1e6,
    )
    share_long: float = param("Share of positions that are long", default=0.5, ge=0, le=1)
    direction_correlation: float = param(
        "Chance that a position takes the account's common side", default=0.0, ge=0, le=1
    )
    size_dispersion: float = param(
        "Standard deviation of the log of a position's weight in its account",
        default=0.0,
        ge=0,
        le=3,
    )

    def plan(self, planner: Planner) -> Plan:
        """Return positions at each trader's leverage."""
        plan = planner.empty()
        held = planner.choose(self._numbers(planner), self.asset_weights)
        weights = held * planner.lognormals("position_size", self.size_dispersion)
        notional = planner.split(planner.budget * planner.leverage, weights)
        side = planner.sides(self.share_long, self.direction_correlation)
        plan.position[:] = side * planner.affordable_lots(notional)
        plan.trades[:] = held
        return plan

    def _numbers(self, planner: Planner) -> np.ndarray:
        """Return how many perpetuals each trader holds."""
        luck = planner.uniforms("number_held")
        total, reached = sum(self.number_weights), 0.0
        numbers = planner.counts(1)
        for weight in self.number_weights[:-1]:
            reached += weight
            numbers += luck >= reached / total
        return numbers

    def faults(self) -> Iterator[tuple[str, str]]:
        if not any(w > 0 for w in self.number_weights):
            yield "number_weights", "has no positive weight; at least one is needed"
