"""Exponential impact: every lot moves the price by the same fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.market.impact.law import ONE_PERCENT, ImpactLaw

if TYPE_CHECKING:
    import numpy as np


@declared
class Exponential(ImpactLaw):
    """The log price is linear in flow: ``f = log 1.01 · x``.

    References
    ----------
    Cifuentes, Ferrucci and Shin (2005), Liquidity risk and contagion, Journal of the European
    Economic Association 3, 556-566: the inverse demand curve ``p = exp(-alpha · sales)``.
    """

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log 1.01 · x``."""
        return ONE_PERCENT * x
