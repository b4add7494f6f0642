"""What liquidations did to prices, sale by sale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.columns import as_int, is_in, rows_of
from stresslab.contagion.projection import Contagion
from stresslab.contagion.shadow.pools import Pools
from stresslab.core.events import CAUSES


class Sales(NamedTuple):
    """Price moves by liquidations: a row per move and liquidation; (n_sales,) each."""

    stage: np.ndarray  # place in the price path
    asset: np.ndarray
    account: np.ndarray  # of the liquidation
    liquidation: np.ndarray
    pool: np.ndarray  # row of the pool that sold
    ticks: np.ndarray  # signed part of the move

    def chosen(
        self, liquidations: tuple[int, ...], accounts: tuple[int, ...], assets: tuple[int, ...]
    ) -> np.ndarray:
        """Return which belong to any of the liquidations, accounts or assets; (n_sales,)."""
        wanted = (liquidations, accounts, assets)
        columns = (self.liquidation, self.account, self.asset)
        found = np.zeros(self.ticks.size, bool)
        for ids, column in zip(wanted, columns, strict=True):
            found |= is_in(column, np.array(ids, np.int64))
        return found

    def moved(self, chosen: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return how far the chosen have moved each mark by each stage; (n_stages, n_assets)."""
        ticks = np.zeros(shape)
        np.add.at(ticks, (self.stage[chosen], self.asset[chosen]), self.ticks[chosen])
        return np.cumsum(ticks, axis=0)


def sales(run: Contagion, stages: np.ndarray, pools: Pools) -> Sales:
    """Return all price moves by liquidations."""
    moves, causes = run.tables["price_moves"], run.tables["price_causes"]
    keys = [as_int(t["stage"]) * run.n_assets + as_int(t["asset"]) for t in (moves, causes)]
    order = np.argsort(keys[0], kind="stable")
    is_sale = np.asarray(causes["cause"] == CAUSES[LIQUIDATION], bool)
    move = order[np.searchsorted(keys[0][order], keys[1][is_sale])]
    size = as_int(moves["to_ticks"])[move] - as_int(moves["from_ticks"])[move]
    seller = as_int(causes["liquidation"])[is_sale]
    row = rows_of(seller, run.ids)
    return Sales(
        np.searchsorted(stages, as_int(causes["stage"])[is_sale]),
        as_int(causes["asset"])[is_sale],
        as_int(run.liquidations["account"])[row],
        seller,
        _pool_of(run, pools)[row],
        np.asarray(causes["share"], float)[is_sale] * size,
    )


def _pool_of(run: Contagion, pools: Pools) -> np.ndarray:
    """Return the row of the pool of every liquidation, the later ones of a pool too."""
    rows = run.liquidations
    mine = np.column_stack([rows["account"], run.is_cross, rows["asset"]]).astype(np.int64)
    _, kind = np.unique(mine, axis=0, return_inverse=True)
    pool_of_kind = np.empty(kind.max(initial=0) + 1, np.int64)
    pool_of_kind[kind.ravel()[rows_of(pools.liquidation, run.ids)]] = np.arange(pools.account.size)
    found: np.ndarray = pool_of_kind[kind.ravel()]
    return found
