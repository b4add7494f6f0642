"""Pro rata in contracts: the same part of everybody's position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.liquidation.division import Contributors, Sharing

if TYPE_CHECKING:
    import numpy as np


@declared
class ByContracts(Sharing):
    """Everybody gives in proportion to the lots it holds; the largest remainders one more.

    References
    ----------
    Drift protocol shares losses by position size; Hamilton's method of apportionment.
    """

    def weights(self, contributors: Contributors) -> np.ndarray:
        return contributors.lots
