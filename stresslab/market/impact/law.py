"""What every impact law has: a depth for its unit of flow, a resilience, and a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    import numpy as np

#: log(1.01): what one depth of net buying does to the log price.
ONE_PERCENT = 0.009950330853168083

#: What a fill pays for every lot: the average along the path, the price half way down it, the mean
#: of the prices at both ends, or the price that it leaves, as in a call auction.
FILL_PRICES = ("integral", "midpoint", "ends", "after")


@declared
class ImpactLaw:
    """Price = index · exp(f(x)), where x is the signed flow so far in units of the depth.

    A law is a subclass with one more method, ``displacement(x, shape)``, a plain function of
    scalars that numba can compile. It must rise with x, pass through 0, and be f(1) = log 1.01, so
    that the depth means the same under every law. ``shape`` are the law's own numbers.
    """

    depth_usd: float = param(
        "Net buying, at the initial price, that raises the price by 1 %",
        unit="USD",
        symbol="D",
        gt=0,
        le=1e30,
    )
    depth_usd_by_asset: dict[str, float] = param(
        "Assets with a depth of their own", unit="USD", factory=dict, gt=0, le=1e30
    )
    resilience_half_life_seconds: float | None = param(
        "Time in which half of the flow is forgotten; without it the flow counts for ever",
        unit="s",
        default=None,
        gt=0,
        le=1e9,
    )

    def shape(self) -> tuple[float, ...]:
        """Return the numbers that ``displacement`` needs besides the flow."""
        return ()

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return f(x), the log of price over index."""
        raise NotImplementedError

    def depth_of(self, asset: str) -> float:
        """Return the depth of an asset in USD."""
        return self.depth_usd_by_asset.get(asset, self.depth_usd)
