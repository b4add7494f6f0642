"""Linear impact: every lot moves the price by the same number of ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.market.impact.law import ImpactLaw

if TYPE_CHECKING:
    import numpy as np

portable = lazy_module("stresslab.core.portable")

_LOWEST = 1e-12


@declared
class Linear(ImpactLaw):
    """Price is linear in flow: ``price = index · (1 + 0.01 x)``.

    Lots move the price by a whole number of ticks when ``0.01 · index / depth``, with the index in
    ticks and the depth in lots, is one.

    References
    ----------
    Kyle (1985), Continuous auctions and insider trading, Econometrica 53, 1315-1335.
    """

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log(1 + 0.01 x)``; the book keeps the price at one tick or more."""
        return portable.log(max(1.0 + 0.01 * x, _LOWEST))
