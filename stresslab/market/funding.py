"""The funding rate: what longs pay shorts so that the perpetual stays near its index."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.rational import clamp
from stresslab.market.funding_premium import premium
from stresslab.market.funding_terms import (
    cap_from_margins,
    ewma_premium,
    linearly_weighted_premium,
    mean_premium,
    median_premium,
)
from stresslab.market.rules import FundingRules

MICRO_USD = 1_000_000
_AVERAGES = {
    "mean": mean_premium,
    "linear": linearly_weighted_premium,
    "median": median_premium,
}


def funding_rate(premium: float, rules: FundingRules, cap: float = math.inf) -> float:
    """Return the rate of one payment: premium + clamp(interest - premium), capped.

    The form of Binance, BitMEX, Bybit, Gate, Paradex and Hyperliquid; with the form ``added`` it is
    premium + interest, as at dYdX. ``cap`` is one more cap than the rules' own.

    >>> funding_rate(0.0, FundingRules())
    0.0001
    """
    correction = rules.interest
    if rules.form == "clamped":
        correction = min(max(rules.interest - premium, -rules.clamp), rules.clamp)
    largest = min(rules.cap, cap)
    rate = float(clamp(premium + correction, -largest, largest))
    return (
        rate if rules.rate_seconds is None else rate * rules.interval_seconds / rules.rate_seconds
    )


def margin_cap(rules: FundingRules, initial_rate: float, maintenance_rate: float) -> float:
    """Return the largest rate that the margin rates of a perpetual allow."""
    caps = [math.inf]
    if rules.cap_of_margin_gap is not None:
        caps.append(cap_from_margins(rules.cap_of_margin_gap, initial_rate, maintenance_rate))
    if rules.cap_of_maintenance is not None:
        caps.append(cap_from_margins(rules.cap_of_maintenance, maintenance_rate, 0.0))
    return min(caps)


def sampled_premiums(
    rules: FundingRules, floor: Any, index: np.ndarray, unit_value: np.ndarray
) -> np.ndarray:
    """Return each asset's premium over the index now, shape ``(n_assets,)``.

    ``floor`` gives ``prices`` or ``impact_prices`` in ticks, ``index`` is in ticks.
    """
    if rules.premium == "book_price":
        return np.asarray((floor.prices() - index) / index)
    assert rules.impact_notional_usd is not None, "impact prices are for a notional"
    notionals = rules.impact_notional_usd * MICRO_USD / unit_value  # in ticks times lots
    return np.array(
        [
            premium(*floor.impact_prices(asset, notional), index=float(index[asset]))
            for asset, notional in enumerate(notionals.tolist())
        ]
    )


class PremiumAverage:
    """Average premium of every asset since the last payment, one sample a step."""

    def __init__(self, rules: FundingRules, n_assets: int, step_seconds: float) -> None:
        self._rules, self._spacing = rules, step_seconds
        self._samples: list[np.ndarray] = []
        self._before: list[float | None] = [None] * n_assets

    def add(self, premiums: np.ndarray) -> None:
        """Add one sample of each asset."""
        self._samples.append(premiums)

    def take(self) -> list[float]:
        """Return the average premium of each asset, 0 without a sample, and start again."""
        columns = np.array(self._samples).T.tolist() if self._samples else []
        self._samples = []
        if not columns:
            return [0.0] * len(self._before)
        return [self._average(asset, samples) for asset, samples in enumerate(columns)]

    def _average(self, asset: int, samples: list[float]) -> float:
        if self._rules.average != "ewma":
            return float(_AVERAGES[self._rules.average](samples))
        half_life = self._rules.average_half_life_seconds
        assert half_life is not None, "an exponential average has a half-life"
        average = ewma_premium(samples, half_life, self._spacing, self._before[asset])
        self._before[asset] = average
        return average
