"""Min-max: the largest relative haircut is as small as whole lots allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.liquidation.division import (
    Contributors,
    Division,
    Sharing,
    least_largest_share,
)

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")


@declared
class MinMax(Sharing):
    """The largest part that anybody loses of the equity behind its position is the smallest.

    Each lot loses the same, so a lot goes where it raises the part of the equity that is lost to
    the least. In money, which divides to the unit, this is pro rata by equity.

    References
    ----------
    Chitra (2025), Autodeleveraging: Impossibilities and Optimization, arXiv 2512.01112, min-max
    program over whole contracts.
    """

    def weights(self, contributors: Contributors) -> np.ndarray:
        return contributors.equity

    def divide(self, amount: int, contributors: Contributors) -> Division:
        weights = self.weights(contributors)
        shares = least_largest_share(amount, weights, contributors.bearable)
        return Division(np.arange(shares.size), shares)
