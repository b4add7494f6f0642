"""The funding rate: what longs pay shorts so that the perpetual stays near its index."""

from __future__ import annotations

import numpy as np

from stresslab.market.rules import FundingRules


def funding_rate(premium: float, rules: FundingRules) -> float:
    """Return the rate of one interval: premium + clamp(interest - premium), capped.

    The form of Binance, BitMEX, Bybit, Gate, Paradex and Hyperliquid.

    >>> funding_rate(0.0, FundingRules())
    0.0001
    """
    correction = min(max(rules.interest_rate - premium, -rules.clamp), rules.clamp)
    return min(max(premium + correction, -rules.cap), rules.cap)


class PremiumAverage:
    """Mean premium of every asset's book price over its index since the last payment."""

    def __init__(self, n_assets: int) -> None:
        self._sum = np.zeros(n_assets)
        self._count = 0

    def add(self, book_price: np.ndarray, index: np.ndarray) -> None:
        """Add one sample of each asset, prices in ticks."""
        self._sum += (book_price - index) / index
        self._count += 1

    def take(self) -> np.ndarray:
        """Return the mean premium, shape ``(n_assets,)``, and start again."""
        mean = self._sum / max(self._count, 1)
        self._sum, self._count = np.zeros_like(self._sum), 0
        return mean
