"""Square-root impact: what walking a V-shaped book does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.market.impact.law import ONE_PERCENT, ImpactLaw

if TYPE_CHECKING:
    import numpy as np


@declared
class SquareRoot(ImpactLaw):
    """The log price moves with the square root of the flow: ``f = log 1.01 · sign(x) sqrt|x|``.

    References
    ----------
    Toth, Lemperiere, Deremble, de Lataillade, Kockelkoren and Bouchaud (2011), Anomalous price
    impact and the critical nature of liquidity in financial markets, Physical Review X 1, 021006.
    """

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log 1.01 · sign(x) sqrt|x|``."""
        return math.copysign(ONE_PERCENT * math.sqrt(abs(x)), x)
