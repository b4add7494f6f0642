"""Share, then whole: large positions lose a share first, and all of it during the cool-down."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared, param
from stresslab.core.steps import steps_of
from stresslab.liquidation.closures.closure import MICRO, Closure


@declared
class ShareThenWhole(Closure):
    """Every position at market, of the large ones a share first.

    After a share was sent, a cool-down of the account begins, in which it is either left alone or,
    as at Hyperliquid, closed whole. Rounds of one step lie within the cool-down. Far below
    maintenance a backstop takes the whole pool over.
    """

    share: float = param(
        "Part of a large position that is sent first, rounded up to a lot",
        unit="of position",
        default=0.2,
        gt=0,
        le=1,
        source="Hyperliquid, Liquidations",
    )
    above_usd: float = param(
        "Notional above which a position is large",
        unit="USD",
        default=100_000.0,
        ge=0,
        le=1e12,
        source="Hyperliquid, Liquidations",
    )
    cooldown_seconds: float = param(
        "Time after a share in which no second share is sent",
        unit="s",
        default=30.0,
        ge=0,
        le=86_400,
        source="Hyperliquid, Liquidations",
    )
    in_cooldown: str = param(
        "What is sent of a breached pool during the cool-down",
        default="whole",
        choices=("whole", "nothing"),
    )

    backstop_below: float = param(
        "Equity over maintenance margin below which the fund takes the pool over at its bankruptcy "
        "price; 0 is never",
        unit="of maintenance",
        default=0.0,
        ge=0,
        le=1,
        source="Hyperliquid, Liquidations: 2/3",
    )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        from stresslab.margin.tiers import rate_units

        return (
            rate_units(self.share),
            round(self.above_usd * MICRO),
            steps_of(self.cooldown_seconds, step_seconds),
            int(self.in_cooldown == "nothing"),
            rate_units(self.backstop_below),
        )

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.share_then_whole import close_share_then_whole

        return close_share_then_whole
