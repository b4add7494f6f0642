"""Dutch auction: the whole pool is offered at a price that concedes more with time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stresslab.core.declarations import declared, param
from stresslab.core.steps import steps_of
from stresslab.liquidation.closures.closure import Closure


@declared
class DutchAuction(Closure):
    """Every position with a limit that moves from the mark to the bankruptcy price and beyond.

    A part of the pool's equity, growing with the time since the breach, is conceded to whoever
    takes the positions, shared over them by maintenance margin; fast at first, then slowly. When
    all is conceded the price goes on by the maintenance margin at most, which insurance fund and
    waterfall pay. Derive auctions portfolios in this way, with a security module behind the last
    phase; its unit tests start at 2 % and take 300 s to 20 %, 3,600 s more to the end.
    """

    first_discount: float = param(
        "Equity conceded at the start", unit="of equity", default=0.02, ge=0, le=1
    )
    fast_discount: float = param(
        "Equity conceded when the fast part ends", unit="of equity", default=0.2, ge=0, le=1
    )
    fast_seconds: float = param("Length of the fast part", unit="s", default=300.0, gt=0, le=86_400)
    slow_seconds: float = param(
        "Length of the slow part, at whose end all equity is conceded",
        unit="s",
        default=3600.0,
        gt=0,
        le=86_400,
    )
    insolvent_seconds: float = param(
        "Length of the last part, at whose end a maintenance margin is conceded beyond equity",
        unit="s",
        default=3600.0,
        gt=0,
        le=86_400,
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.fast_discount < self.first_discount:
            yield (
                "fast_discount",
                f"{self.fast_discount:g} of equity is below first_discount, "
                f"{self.first_discount:g}",
            )

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        from stresslab.margin.tiers import rate_units

        parts = (self.fast_seconds, self.slow_seconds, self.insolvent_seconds)
        shares = (self.first_discount, self.fast_discount)
        return (
            *(rate_units(share) for share in shares),
            *(steps_of(seconds, step_seconds) for seconds in parts),
        )

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.dutch_auction import offer_in_auction

        return offer_in_auction
