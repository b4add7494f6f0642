"""Pro rata: the same part of everybody's profit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.liquidation.division import Contributors, Sharing

if TYPE_CHECKING:
    import numpy as np


@declared
class ByProfit(Sharing):
    """Everybody gives in proportion to the profit of the position.

    References
    ----------
    Chitra (2025), Autodeleveraging: Impossibilities and Optimization, arXiv 2512.01112: the one
    rule that is indifferent to splitting accounts, keeps their order and scales.
    """

    def weights(self, contributors: Contributors) -> np.ndarray:
        return contributors.profit
