"""Maintenance margins that a shadow asks of positions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Terms(NamedTuple):
    """Maintenance margin of a notional n in bracket k of an asset: n · rate - deduction."""

    floor: np.ndarray  # (n_assets, K) micro-USD, rising; rows beyond the last bracket repeat it
    rate: np.ndarray  # (n_assets, K) fraction of the notional
    deduction: np.ndarray  # (n_assets, K) micro-USD
    is_held: bool  # cross pools are margined by scenarios: what they were asked at the breach stays

    def maintenance(self, notional: np.ndarray, asset: int) -> np.ndarray:
        """Return the maintenance margin of notionals of one asset, micro-USD."""
        line = self._bracket(notional, asset)
        asked = notional * self.rate[asset, line] - self.deduction[asset, line]
        return np.where(notional > 0, asked, 0)

    def marginal_rate(self, notional: np.ndarray) -> np.ndarray:
        """Return the rate of the last dollar of each position; (n_pools, n_assets)."""
        rate = np.empty(notional.shape)
        for a in range(notional.shape[1]):
            rate[:, a] = self.rate[a, self._bracket(notional[:, a], a)]
        return rate

    def _bracket(self, notional: np.ndarray, asset: int) -> np.ndarray:
        found: np.ndarray = np.searchsorted(self.floor[asset], notional, side="right") - 1
        return found
