"""Share per step: each position may lose only a part of itself in a step."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures.closure import MICRO, Closure


@declared
class SharePerStep(Closure):
    """Every position once a step, at most a share of it or a least notional if that is more.

    dYdX Chain tries each market once a block, at most ``max(min(least, n), share · n)`` of the
    position's notional n, within limits of a block for each account. At least one lot goes.
    """

    share: float = param(
        "Largest part of a position in a step",
        unit="of position",
        default=0.1,
        gt=0,
        le=1,
        source="dYdX Chain, x/clob liquidations config",
    )
    least_usd: float = param(
        "Notional that may go in a step however small the share",
        unit="USD",
        default=1000.0,
        ge=0,
        le=1e12,
        source="dYdX Chain, x/clob liquidations config",
    )
    most_usd: float | None = param(
        "Largest notional of a pool in a step, largest leg first; empty is unlimited",
        unit="USD",
        default=None,
        gt=0,
        le=1e12,
    )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        from stresslab.margin.tiers import rate_units

        most = -1 if self.most_usd is None else round(self.most_usd * MICRO)
        return rate_units(self.share), round(self.least_usd * MICRO), most

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.share_per_step import close_share_per_step

        return close_share_per_step
