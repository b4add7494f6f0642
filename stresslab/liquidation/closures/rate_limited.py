"""Rate limited: each market takes only so much forced flow in a window of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from stresslab.core.declarations import declared, param
from stresslab.core.steps import steps_of
from stresslab.liquidation.closures.closure import MICRO, Closure


@declared
class RateLimited(Closure):
    """Every position at market, as far as the window of its market has room.

    Pools with the lowest equity / maintenance come first, ties by id. Synthetix v3 lets a market
    close (maker fee + taker fee) · skew scale · window · multiplier in a window.
    """

    is_rationed: ClassVar[bool] = True

    usd_per_window: float = param(
        "Forced notional that a market takes in a window", unit="USD", gt=0, le=1e12
    )
    window_seconds: float = param("Length of the window", unit="s", default=30.0, gt=0, le=86_400)

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        return (round(self.usd_per_window * MICRO),)

    def window_steps(self, step_seconds: float) -> int:
        return steps_of(self.window_seconds, step_seconds)

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.rate_limited import close_within_window

        return close_within_window
