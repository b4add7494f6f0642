"""Takeover: the insurance fund closes the pool at its own risk."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures.closure import Closure


@declared
class Takeover(Closure):
    """Every position of the pool at market, for the account of the insurance fund.

    The pool is settled at its bankruptcy price: a better fill is the fund's gain, as far as
    ``most_kept``, and a worse one its loss, as far as it has money; no penalty is charged. BitMEX,
    Bybit, KuCoin and Binance keep all of a gain, dYdX v4 1.5 % of the fill. What finds nobody stays
    open at the pool's account, whose equity the fund stands for in the same way later.
    """

    most_kept: float = param(
        "Largest part of a fill that the fund keeps of its gain; the rest goes back to the pool",
        unit="of closed notional",
        default=1.0,
        ge=0,
        le=1,
    )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        from stresslab.margin.tiers import rate_units

        return (rate_units(self.most_kept),)

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.takeover import close_for_the_fund

        return close_for_the_fund
