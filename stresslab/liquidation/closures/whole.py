"""Whole: every position of a breached pool is sent to the market."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared
from stresslab.liquidation.closures.closure import Closure


@declared
class Whole(Closure):
    """Every position of the pool at market, in one round: isolated margin at most venues."""

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.whole import close_whole

        return close_whole
