"""Tier step-down: one leg is cut until it fits a lower bracket of the leverage table."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures.closure import LegByLeg


@declared
class TierStepDown(LegByLeg):
    """Of one leg a round, the lots that bring its notional into a lower bracket.

    A leg with too few brackets below it is closed whole, or taken over. Binance and Bybit step down
    by one bracket before the rest is taken over, OKX by two.
    """

    brackets: int = param("Brackets that a leg is brought down by", default=1, ge=1, le=100)

    rest: str = param(
        "What happens to a leg without a lower bracket: it is closed at market, or the insurance "
        "fund takes it over at its bankruptcy price",
        default="whole",
        choices=("whole", "takeover"),
    )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        return self.brackets, int(self.rest == "takeover")

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.tier_step_down import close_to_lower_bracket

        return close_to_lower_bracket
