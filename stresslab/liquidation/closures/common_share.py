"""Common share: all positions of a pool are cut by one and the same part."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures.closure import Closure


@declared
class CommonShare(Closure):
    """Of every position the smallest multiple of a share that brings the pool to its target.

    Valued at the round's marks after the expected fee and penalty; everything when no part is
    enough. Paradex cuts by multiples of 20 % until maintenance is below 90 % of value.
    """

    measures_legs: ClassVar[bool] = True

    multiple_of: float = param(
        "Share of every position in whose multiples a pool is cut, each rounded up to a lot",
        unit="of position",
        default=0.2,
        ge=0.001,
        le=1,
        source="Paradex, Liquidations",
    )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        from stresslab.margin.tiers import rate_units

        return (rate_units(self.multiple_of),)

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.common_share import close_common_share

        return close_common_share
