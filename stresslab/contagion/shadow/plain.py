"""The shadow of first order: the chosen and the pool itself do not sell, everybody else does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stresslab.contagion.attribution import expand
from stresslab.contagion.shadow.excess import POOLS_AT_ONCE, Excess
from stresslab.contagion.shadow.sales import Sales


@dataclass(frozen=True)
class Plain:
    """What pools lack, and what chosen sales give them back."""

    excess: Excess
    sales: Sales

    def least(self, chosen: np.ndarray) -> np.ndarray:
        """Return each pool's least X with the chosen sales added back; (n_pools,) micro-USD.

        It is infinite for a pool that is never short where its own sales are taken back.
        """
        pool, stage, missing = self._shortfalls
        gained = self._eaten(chosen) - self._own_at(pool, stage, chosen)
        least = np.full(self.excess.pools.account.size, np.inf)
        np.minimum.at(least, pool, gained - missing)
        return least

    @cached_property
    def _shortfalls(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pool, place in the path and missing X wherever X is short even without own sales."""
        found = []
        everything = np.ones(self.sales.ticks.size, bool)
        for first in range(0, self.excess.pools.account.size, POOLS_AT_ONCE):
            pools = np.arange(first, min(first + POOLS_AT_ONCE, self.excess.pools.account.size))
            row, stage = np.nonzero(self.excess.is_followed(pools))
            pool = pools[row]
            realised = self.excess.realised(pools)[row, stage]
            missing = -realised - self._own_at(pool, stage, everything)
            is_short = missing > 0
            found.append((pool[is_short], stage[is_short], missing[is_short]))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        pool, stage, missing = (np.concatenate(column) for column in zip(*found, strict=True))
        return pool, stage, missing

    def _eaten(self, chosen: np.ndarray) -> np.ndarray:
        """Return what the chosen sales had eaten of X at each shortfall."""
        pool, stage, _ = self._shortfalls
        moved = self.sales.moved(chosen, self.excess.path.marks.shape)
        eaten = np.zeros(pool.size)
        for a in np.flatnonzero(moved.any(axis=0)).tolist():
            eaten += self.excess.exposures[pool, a] * moved[stage, a]
        return eaten

    def _own_at(self, pool: np.ndarray, stage: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return what the chosen of a pool's own account's sales had eaten of it by a stage."""
        seller, key, amount = self._own_sales
        is_some = chosen[seller]
        key, total = key[is_some], np.concatenate([[0.0], np.cumsum(amount[is_some])])
        begins = pool * self.excess.path.stages.size
        upto = np.searchsorted(key, begins + stage, side="right")
        before = np.searchsorted(key, begins, side="left")
        return total[upto] - total[before]

    @cached_property
    def _own_sales(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row of the sale, pool x n_stages + stage, and amount eaten, sorted by the second."""
        owner, n_stages = self.excess.pools.account, self.excess.path.stages.size
        order = np.argsort(self.sales.account, kind="stable")
        accounts = self.sales.account[order]
        first, last = (np.searchsorted(accounts, owner, side) for side in ("left", "right"))
        pool, place = expand(first, last)
        sale = order[place]
        key = pool * n_stages + self.sales.stage[sale]
        amount = self.excess.exposures[pool, self.sales.asset[sale]] * self.sales.ticks[sale]
        order = np.argsort(key, kind="stable")
        return sale[order], key[order], amount[order]
