"""Pro rata: the same part of everybody's equity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.liquidation.division import Contributors, Sharing

if TYPE_CHECKING:
    import numpy as np


@declared
class ByEquity(Sharing):
    """Everybody gives in proportion to the equity of its pool.

    A cut of profits takes no more than the profit: who reaches it leaves the rest to the others.

    References
    ----------
    Chitra (2025), Autodeleveraging: Impossibilities and Optimization, arXiv 2512.01112, capped
    pro rata by filling to one level.
    """

    def weights(self, contributors: Contributors) -> np.ndarray:
        return contributors.equity
