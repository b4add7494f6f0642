"""Fixed supply: what the flow holds is missing to others, who spend the same on the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.market.impact.law import ImpactLaw

if TYPE_CHECKING:
    import numpy as np

portable = lazy_module("stresslab.core.portable")

#: Part of the supply that is one depth: who holds it has raised the price by 1 %.
DEPTH_OF_SUPPLY = 0.01 / 1.01

_LOWEST = 1e-12


@declared
class FixedSupply(ImpactLaw):
    """Others spend a fixed amount on the supply that is left: ``price = index / (1 - Q / N)``.

    N is the supply, of which one depth is 1/101; the index is what all of it would cost if only
    the others held it.

    References
    ----------
    Thurner, Farmer and Geanakoplos (2012), Leverage causes fat tails and clustered volatility,
    Quantitative Finance 12, 695-707: noise traders, whose demand is an amount of cash over price.
    """

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``-log(1 - Q / N)``; the price rises no further when next to all is held."""
        return -portable.log(max(1.0 - DEPTH_OF_SUPPLY * x, _LOWEST))
