"""What every trader may see of the market, and how it is kept up to date."""

from __future__ import annotations

import math

import numpy as np

from stresslab.core.columns import Market
from stresslab.core.compiled import kernel


@kernel
def look(market, index, marks, fading):
    """Take in the marks of a step: trend and volatility are averages of simple mark returns.

    ``fading`` is the weight that the past keeps in one step.
    """
    for a in range(marks.size):
        change = (marks[a] - market.mark[a]) / market.mark[a]
        market.trend[a] = fading * market.trend[a] + (1.0 - fading) * change
        variance = fading * market.volatility[a] ** 2 + (1.0 - fading) * change**2
        market.volatility[a] = math.sqrt(variance)
        market.mark[a] = marks[a]
        market.index[a] = index[a]


def make_market(
    index: np.ndarray,
    normal_volatility: np.ndarray,
    correlation: float,
    unit_value: np.ndarray,
    initial_rate: np.ndarray,
    is_spot: np.ndarray,
) -> Market:
    """Return the view before the first step: marks at the index, books empty, calm."""
    n_assets = index.size
    pairs = np.full((n_assets, n_assets), correlation)
    np.fill_diagonal(pairs, 1.0)
    return Market(
        step=np.zeros(1, np.int64),
        index=index.copy(),
        mark=index.copy(),
        best_bid=np.full(n_assets, -1, np.int64),
        best_ask=np.full(n_assets, -1, np.int64),
        trend=np.zeros(n_assets),
        volatility=normal_volatility.copy(),
        normal_volatility=normal_volatility.copy(),
        correlation=pairs,
        unit_value=unit_value,
        initial_rate=initial_rate,
        is_spot=is_spot,
    )
