"""Logarithmic impact: nearly linear in small flows, ever flatter in large ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param
from stresslab.core.lazy import lazy_module
from stresslab.market.impact.law import ONE_PERCENT, ImpactLaw

if TYPE_CHECKING:
    import numpy as np

portable = lazy_module("stresslab.core.portable")


@declared
class Logarithmic(ImpactLaw):
    """The log price moves with the log of the flow: ``f = Y · sign(x) log(1 + |x| / x0)``.

    Y is what makes f(1) = log 1.01.

    References
    ----------
    Zarinelli, Treccani, Farmer and Lillo (2015), Beyond the square root: evidence for logarithmic
    dependence of market impact on size and participation rate, Market Microstructure and Liquidity
    1(2), 1550004: a logarithm fits over more decades of size than a power does.
    """

    bend: float = param(
        "Flow at which impact turns from linear to logarithmic",
        unit="depths",
        symbol="x₀",
        default=0.1,
        ge=0.001,
        le=1000,
    )

    def shape(self) -> tuple[float, ...]:
        return (self.bend,)

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log 1.01 · sign(x) log(1 + |x| / x0) / log(1 + 1 / x0)``."""
        size = portable.log(1.0 + abs(x) / shape[0]) / portable.log(1.0 + 1.0 / shape[0])
        return math.copysign(ONE_PERCENT * size, x)
