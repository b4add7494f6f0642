"""Risk-aware pro rata: equity weighted by leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param
from stresslab.core.lazy import lazy_module
from stresslab.liquidation.division import Contributors, Sharing, whole_weights

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")


@declared
class ByRisk(Sharing):
    """Everybody gives in proportion to ``equity · leverage^k`` of its pool.

    With k = 0 this is pro rata by equity, with 1 by notional.

    References
    ----------
    Chitra (2025), Autodeleveraging: Impossibilities and Optimization, arXiv 2512.01112,
    risk-aware pro rata with weights λ g(λ): k = 2 is its linear g, 3 its quadratic one.
    """

    leverage_exponent: int = param(
        "Power of leverage in the weight", symbol="k", default=2, ge=0, le=6
    )

    def weights(self, contributors: Contributors) -> np.ndarray:
        equity = np.maximum(contributors.equity, 0)
        leverage = contributors.notional / np.maximum(equity, 1)
        weight = equity.astype(np.float64)
        for _ in range(self.leverage_exponent):
            weight *= leverage
        return whole_weights(weight)
