"""X = equity - maintenance margin of pools along prices, with the positions of their breach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stresslab.contagion.shadow.path import Path
from stresslab.contagion.shadow.pools import Pools
from stresslab.contagion.shadow.terms import Terms

POOLS_AT_ONCE = 256
TOLERANCE = 1.0  # micro-USD; recorded amounts are whole ones


@dataclass(frozen=True)
class Excess:
    """The X of pools that stand still while prices move."""

    pools: Pools
    path: Path
    add_ons: np.ndarray  # (n_stages, n_assets) to maintenance rates
    terms: Terms
    unit_values: np.ndarray  # (n_assets,) micro-USD of one tick times one lot

    def realised(self, pools: np.ndarray) -> np.ndarray:
        """Return X of rows of pools along the realised path; (n_pools, n_stages)."""
        return self.along(pools, self.path.marks, self.add_ons)

    def along(self, pools: np.ndarray, marks: np.ndarray, add_ons: np.ndarray) -> np.ndarray:
        """Return X of rows of pools along other marks (n_moves, n_assets); (n_pools, n_moves)."""
        p, units = self.pools, self.unit_values
        at_breach = p.lots[pools] * units * self.path.marks[p.stage[pools]]
        excess = np.repeat(p.equity[pools, np.newaxis] * 1.0, marks.shape[0], axis=1)
        for a in np.flatnonzero(p.lots[pools].any(axis=0)).tolist():
            value = p.lots[pools, a, np.newaxis] * (units[a] * marks[:, a])
            excess += value - at_breach[:, a, np.newaxis]
            asked = self.terms.maintenance(np.abs(value), a) + np.abs(value) * add_ons[:, a]
            excess -= np.where(self._is_held[pools, np.newaxis], 0.0, asked)
        held = np.where(self._is_held[pools], p.maintenance[pools], 0)
        return excess - held[:, np.newaxis]

    def is_followed(self, pools: np.ndarray) -> np.ndarray:
        """Return whether X of rows of pools counts at each stage; (n_pools, n_stages)."""
        place = np.arange(self.path.stages.size)
        first, last = (column[pools, np.newaxis] for column in (self.pools.stage, self.pools.last))
        found: np.ndarray = (place >= first) & (place <= last)
        return found

    def least_along(self, steps: np.ndarray, marks: np.ndarray) -> np.ndarray:
        """Return the least X along other prices, from the step of each breach on; (n_pools,).

        Parameters
        ----------
        steps : rising, (n_moves,)
        marks : after each move, ticks, (n_moves, n_assets)
        """
        least = np.full(self.pools.account.size, np.inf)
        place = np.searchsorted(self.path.steps, steps, side="right") - 1
        asked = self.add_ons[np.maximum(place, 0)]
        for first in range(0, least.size, POOLS_AT_ONCE):
            pools = np.arange(first, min(first + POOLS_AT_ONCE, least.size))
            excess = self.along(pools, marks, asked)
            is_asked = self._is_asked(pools, steps)
            least[pools] = np.where(is_asked, excess, np.inf).min(axis=1, initial=np.inf)
        return least

    def _is_asked(self, pools: np.ndarray, steps: np.ndarray) -> np.ndarray:
        began = self.path.steps[self.pools.stage[pools], np.newaxis]
        is_last_by_then = np.append(steps[1:], np.iinfo(np.int64).max) > began
        once = (steps <= began) & is_last_by_then
        found: np.ndarray = np.where(self.pools.is_emptied[pools, np.newaxis], once, steps >= began)
        return found

    def relative(self, least: np.ndarray) -> np.ndarray:
        """Return amounts of X as returns: over what a pool loses when all prices go against it."""
        return (least + TOLERANCE) / self._stakes

    @cached_property
    def exposures(self) -> np.ndarray:
        """(n_pools, n_assets): micro-USD that a tick up eats of X, at the first breach."""
        value = self.pools.lots * self.unit_values * self.path.marks[self.pools.stage]
        rate = self.terms.marginal_rate(np.abs(value)) + self.add_ons[self.pools.stage]
        rate[self._is_held] = 0.0
        return -self.pools.lots * self.unit_values * (1 - np.sign(value) * rate)

    @cached_property
    def _stakes(self) -> np.ndarray:
        """(n_pools,): micro-USD that a move of each price by its whole against the pool costs."""
        by_asset = self.exposures * self.path.marks[self.pools.stage]
        return np.maximum(np.sqrt((by_asset**2).sum(axis=1)), 1.0)

    @property
    def _is_held(self) -> np.ndarray:
        """(n_pools,): what a pool was asked at its breach stays, whatever prices do."""
        return self.pools.is_emptied | (self.pools.is_cross & self.terms.is_held)
