"""Margin-call alerts: which pools have crossed which level, at every judgement of a step."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.margin.pools import pool_state
from stresslab.margin.sweep import levels_crossed
from stresslab.margin.tiers import MarginTables


class Alerts:
    """Remembers how many levels each pool had crossed when it was last judged.

    An alert goes out when a pool crosses a level and still holds its maintenance margin. A pool in
    breach without one before it was above every level when it was last judged: a gap.

    Parameters
    ----------
    levels : maintenance margin over equity, in 1e-9, rising
    """

    def __init__(self, levels: np.ndarray, n_pools: int) -> None:
        self.levels = levels
        self._crossed = np.zeros(n_pools, np.int8)  # at the last judgement
        self._known = np.empty(0, np.int64)  # codes with any level crossed then
        self._now = np.zeros(n_pools, np.int8)

    def crossed(
        self, accounts: Accounts, tables: MarginTables, marks: np.ndarray, pools: np.ndarray
    ) -> np.ndarray:
        """Return how many levels each of the pool codes has crossed: above :attr:`most`, a breach.

        All pools are judged in one go, since nothing costs as much as looking at an account.
        """
        _count_levels(accounts, tables, marks, pools, self.levels, self._now)
        return self._now[: pools.size].copy()

    @property
    def most(self) -> int:
        """The number of levels."""
        return self.levels.size

    def judge(self, pools: np.ndarray, crossed: np.ndarray) -> np.ndarray:
        """Take in a judgement; return the places of pools that crossed a level since the last.

        ``pools`` are all that have crossed any and are not in breach.
        """
        fresh = np.flatnonzero(crossed > self._crossed[pools])
        self._crossed[self._known] = 0
        self._crossed[pools] = crossed
        self._known = pools
        return fresh

    def were_silent(self, pools: np.ndarray) -> np.ndarray:
        """Tell which of the pool codes had crossed no level when they were last judged."""
        return np.asarray(self._crossed[pools] == 0)


@kernel
def _count_levels(accounts, tables, marks, pools, levels, out):
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        pool, n = pools[place] // n_accounts, pools[place] % n_accounts
        equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
        out[place] = levels_crossed(tables, equity, maintenance, levels)
