"""Power-law impact, of which the square root is one case."""

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
class Power(ImpactLaw):
    """The log price moves with a power of the flow: ``f = log 1.01 · sign(x) |x|^exponent``.

    References
    ----------
    Almgren, Thum, Hauptmann and Li (2005), Direct estimation of equity market impact, Risk 18(7),
    58-62, measure an exponent near 0.6.
    """

    exponent: float = param("Exponent of the flow", symbol="δ", default=0.6, ge=0.1, le=2)

    def shape(self) -> tuple[float, ...]:
        return (self.exponent,)

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log 1.01 · sign(x) |x|^exponent``."""
        return math.copysign(ONE_PERCENT * portable.power(abs(x), shape[0]), x)
