"""Least to restore: of one leg, the fewest lots that bring the pool back to its target."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared
from stresslab.liquidation.closures.closure import LegByLeg


@declared
class LeastToRestore(LegByLeg):
    """Of one leg a round, the fewest lots that bring maintenance / equity to the target.

    Valued at the round's marks after the expected fee and penalty; the whole leg when no part of it
    is enough. Deribit reduces step by step until margin is met.
    """

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.least_to_restore import close_least

        return close_least
