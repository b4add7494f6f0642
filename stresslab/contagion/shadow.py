"""Shadows: who would have stood, had some liquidations not moved prices.

A pool's X = equity - maintenance margin is followed from its first breach along the realised path,
with the positions that it held then, and what a set of liquidations ate of it is added back. It is
saved if X never falls below zero again. Its own forced sales, and those of its account's other
pools, are always added back: they would not have happened.

That is a first-order answer. It knows nothing of who else is saved and then does not sell, of
traders who act otherwise, or of new victims; a twin that is run again knows.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from stresslab.contagion.attribution import LIQUIDATION, expand
from stresslab.contagion.columns import as_int, is_in, rows_of
from stresslab.contagion.fading import kept_per_step
from stresslab.contagion.projection import Contagion
from stresslab.core.events import CAUSES

_POOLS_AT_ONCE = 256
_TOLERANCE = 1.0  # micro-USD; recorded amounts are whole ones


class Terms(NamedTuple):
    """Maintenance margin of a notional n in bracket k of an asset: n · rate - deduction."""

    floor: np.ndarray  # (n_assets, K) micro-USD, rising; rows beyond the last bracket repeat it
    rate: np.ndarray  # (n_assets, K) fraction of the notional
    deduction: np.ndarray  # (n_assets, K) micro-USD
    is_held: bool  # cross pools are margined by scenarios: what they were asked at the breach stays


class Pools(NamedTuple):
    """Pools that were liquidated, each at its first breach; (n_pools,) unless said otherwise."""

    liquidation: np.ndarray  # id of the first liquidation
    account: np.ndarray
    stage: np.ndarray  # place of the breach in the price path
    lots: np.ndarray  # (n_pools, n_assets)
    equity: np.ndarray  # micro-USD
    maintenance: np.ndarray  # micro-USD
    is_cross: np.ndarray


class Sales(NamedTuple):
    """Price moves by liquidations: a row per move and liquidation; (n_sales,) each."""

    stage: np.ndarray  # place in the price path
    asset: np.ndarray
    account: np.ndarray  # of the liquidation
    liquidation: np.ndarray
    ticks: np.ndarray  # signed part of the move


class Shadow:
    """The shadows of one run.

    Parameters
    ----------
    run : a run whose prices liquidations moved
    terms : its margin requirements; add-ons of a run are read from its log
    """

    def __init__(self, run: Contagion, terms: Terms) -> None:
        self._run, self._terms = run, terms
        self._stages, self._steps, self._marks = price_path(run)
        self._add_ons = _add_ons(run, self._steps)
        self.pools = _first_breaches(run, self._stages)
        self.sales = _sales(run, self._stages)

    def chosen(
        self,
        liquidations: tuple[int, ...] = (),
        accounts: tuple[int, ...] = (),
        assets: tuple[int, ...] = (),
    ) -> np.ndarray:
        """Return which sales belong to any of the liquidations, accounts or assets; (n_sales,)."""
        wanted = (liquidations, accounts, assets)
        columns = (self.sales.liquidation, self.sales.account, self.sales.asset)
        found = np.zeros(self.sales.ticks.size, bool)
        for ids, column in zip(wanted, columns, strict=True):
            found |= is_in(column, np.array(ids, np.int64))
        return found

    def headroom(self, chosen: np.ndarray) -> np.ndarray:
        """Return how far each pool's X stays from zero where it is least; (n_pools,) returns.

        X along the realised path, with what the chosen sales ate added back, over what the pool
        loses when the price of each of its assets moves against it by one, root of the sum of
        squares. Below zero is felled, infinite is a pool that is never short where its own sales
        are taken back.
        """
        pool, _, missing = self._shortfalls
        gained = self._eaten(chosen) - self._own_at(*self._shortfalls[:2], chosen)
        least = np.full(self.pools.account.size, np.inf)
        np.minimum.at(least, pool, gained - missing)
        return self._relative(least)

    def saved(self, chosen: np.ndarray) -> np.ndarray:
        """Return the ids of accounts all of whose pools are saved, sorted; nobody without sales."""
        if not chosen.any():
            return np.empty(0, np.int64)
        return self._standing(self.headroom(chosen))

    def saved_in_turn(self, chosen: np.ndarray, *, fades: bool = False) -> np.ndarray:
        """Return the ids of accounts that stand when everybody saved earlier does not sell either.

        Stage by stage, the sales of pools that have not fallen by then are taken back too. So it
        follows who is saved by whom in turn; of new victims it knows nothing.
        """
        if not chosen.any():
            return np.empty(0, np.int64)
        return self._standing(self.headroom_in_turn(chosen, fades=fades))

    def headroom_in_turn(self, chosen: np.ndarray, *, fades: bool = False) -> np.ndarray:
        """Return the same while those who have not fallen by then do not sell; (n_pools,).

        With ``fades`` the market would have taken back the sales itself, in time: what is added
        back shrinks from step to step as the run's own gaps between mark and index close.
        """
        pools, least = self.pools, np.full(self.pools.account.size, np.inf)
        seller = self._pool_of_sale
        order = np.argsort(self.sales.stage, kind="stable")
        bounds = np.searchsorted(self.sales.stage[order], np.arange(self._stages.size + 1))
        excess, taken_back = self._realised(np.arange(least.size)), np.zeros(self._marks.shape[1])
        kept = self._kept if fades else np.ones(taken_back.size)
        waited = np.diff(self._steps, prepend=self._steps[:1])
        for stage in range(self._stages.size):
            taken_back *= kept ** waited[stage]
            sales = order[bounds[stage] : bounds[stage + 1]]
            is_back = chosen[sales] | (least[seller[sales]] >= -_TOLERANCE)
            np.add.at(
                taken_back, self.sales.asset[sales[is_back]], self.sales.ticks[sales[is_back]]
            )
            begun = np.flatnonzero(pools.stage <= stage)
            now = excess[begun, stage] + self._exposures[begun] @ taken_back
            least[begun] = np.minimum(least[begun], now)
        return self._relative(least)

    def headroom_along(self, steps: np.ndarray, marks: np.ndarray) -> np.ndarray:
        """Return the same along other prices, from the step of each pool's breach on; (n_pools,).

        Parameters
        ----------
        steps : rising, (n_moves,)
        marks : after each move, ticks, (n_moves, n_assets)
        """
        least = np.full(self.pools.account.size, np.inf)
        began = self._steps[self.pools.stage]
        for first in range(0, least.size, _POOLS_AT_ONCE):
            pools = np.arange(first, min(first + _POOLS_AT_ONCE, least.size))
            place = np.searchsorted(self._steps, steps, side="right") - 1
            excess = self._excess(pools, marks, self._add_ons[np.maximum(place, 0)])
            is_after = steps >= began[pools, np.newaxis]
            least[pools] = np.where(is_after, excess, np.inf).min(axis=1, initial=np.inf)
        return self._relative(least)

    def _relative(self, least: np.ndarray) -> np.ndarray:
        return (least + _TOLERANCE) / self._stakes

    @cached_property
    def _stakes(self) -> np.ndarray:
        """(n_pools,): micro-USD that a move of each price by its whole against the pool costs."""
        by_asset = self._exposures * self._marks[self.pools.stage]
        return np.maximum(np.sqrt((by_asset**2).sum(axis=1)), 1.0)

    def _standing(self, headroom: np.ndarray) -> np.ndarray:
        return np.setdiff1d(self.pools.account, self.pools.account[headroom < 0])

    @cached_property
    def _kept(self) -> np.ndarray:
        return kept_per_step(self._run)

    @cached_property
    def _pool_of_sale(self) -> np.ndarray:
        """(n_sales,): row of the pool that sold."""
        rows = self._run.liquidations
        mine = np.column_stack([rows["account"], self._run.is_cross, rows["asset"]]).astype(
            np.int64
        )
        _, kind = np.unique(mine, axis=0, return_inverse=True)
        place = rows_of(self.pools.liquidation, self._run.ids)
        pool_of_kind = np.empty(kind.max(initial=0) + 1, np.int64)
        pool_of_kind[kind.ravel()[place]] = np.arange(place.size)
        return pool_of_kind[kind.ravel()[rows_of(self.sales.liquidation, self._run.ids)]]

    @cached_property
    def _exposures(self) -> np.ndarray:
        """(n_pools, n_assets): micro-USD that a tick up eats of X, at the first breach."""
        value = self.pools.lots * self._run.unit_values * self._marks[self.pools.stage]
        rate = self._rate(np.abs(value)) + self._add_ons[self.pools.stage]
        rate[self._is_held] = 0.0
        return -self.pools.lots * self._run.unit_values * (1 - np.sign(value) * rate)

    @property
    def _is_held(self) -> np.ndarray:
        return self.pools.is_cross & self._terms.is_held

    @cached_property
    def _shortfalls(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pool, place in the path and missing X wherever X is short even without own sales."""
        found = []
        everything = np.ones(self.sales.ticks.size, bool)
        for first in range(0, self.pools.account.size, _POOLS_AT_ONCE):
            pools = np.arange(first, min(first + _POOLS_AT_ONCE, self.pools.account.size))
            is_after = np.arange(self._stages.size) >= self.pools.stage[pools, np.newaxis]
            row, stage = np.nonzero(is_after)
            pool = pools[row]
            missing = -self._realised(pools)[row, stage] - self._own_at(pool, stage, everything)
            is_short = missing > 0
            found.append((pool[is_short], stage[is_short], missing[is_short]))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        pool, stage, missing = (np.concatenate(column) for column in zip(*found, strict=True))
        return pool, stage, missing

    def _realised(self, pools: np.ndarray) -> np.ndarray:
        return self._excess(pools, self._marks, self._add_ons)

    def _excess(self, pools: np.ndarray, marks: np.ndarray, add_ons: np.ndarray) -> np.ndarray:
        """Return X along prices with the positions of the breach; (n_pools, n_moves)."""
        p, units = self.pools, self._run.unit_values
        at_breach = p.lots[pools] * units * self._marks[p.stage[pools]]
        excess = np.repeat(p.equity[pools, np.newaxis] * 1.0, marks.shape[0], axis=1)
        for a in np.flatnonzero(p.lots[pools].any(axis=0)).tolist():
            value = p.lots[pools, a, np.newaxis] * (units[a] * marks[:, a])
            excess += value - at_breach[:, a, np.newaxis]
            asked = self._maintenance(np.abs(value), a) + np.abs(value) * add_ons[:, a]
            excess -= np.where(self._is_held[pools, np.newaxis], 0.0, asked)
        held = np.where(self._is_held[pools], p.maintenance[pools], 0)
        return excess - held[:, np.newaxis]

    def _maintenance(self, notional: np.ndarray, asset: int) -> np.ndarray:
        t = self._terms
        line = np.searchsorted(t.floor[asset], notional, side="right") - 1
        return np.where(notional > 0, notional * t.rate[asset, line] - t.deduction[asset, line], 0)

    def _rate(self, notional: np.ndarray) -> np.ndarray:
        """Return the marginal rate of each position; (n_pools, n_assets)."""
        t, rate = self._terms, np.empty(notional.shape)
        for a in range(notional.shape[1]):
            line = np.searchsorted(t.floor[a], notional[:, a], side="right") - 1
            rate[:, a] = t.rate[a, line]
        return rate

    def _eaten(self, chosen: np.ndarray) -> np.ndarray:
        """Return what the chosen sales had eaten of X at each shortfall."""
        pool, stage, _ = self._shortfalls
        moved = np.zeros(self._marks.shape)
        sales = self.sales
        np.add.at(moved, (sales.stage[chosen], sales.asset[chosen]), sales.ticks[chosen])
        moved = np.cumsum(moved, axis=0)
        eaten = np.zeros(pool.size)
        for a in np.flatnonzero(moved.any(axis=0)).tolist():
            eaten += self._exposures[pool, a] * moved[stage, a]
        return eaten

    def _own_at(self, pool: np.ndarray, stage: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return what the chosen of a pool's own account's sales had eaten of it by a stage."""
        seller, key, amount = self._own_sales
        is_some = chosen[seller]
        key, total = key[is_some], np.concatenate([[0.0], np.cumsum(amount[is_some])])
        ends = pool * self._stages.size + stage
        upto = np.searchsorted(key, ends, side="right")
        before = np.searchsorted(key, pool * self._stages.size, side="left")
        return total[upto] - total[before]

    @cached_property
    def _own_sales(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row of the sale, pool x n_stages + stage, and amount eaten, sorted by the second."""
        order = np.argsort(self.sales.account, kind="stable")
        accounts = self.sales.account[order]
        first, last = (np.searchsorted(accounts, self.pools.account, s) for s in ("left", "right"))
        pool, place = expand(first, last)
        sale = order[place]
        key = pool * self._stages.size + self.sales.stage[sale]
        amount = self._exposures[pool, self.sales.asset[sale]] * self.sales.ticks[sale]
        order = np.argsort(key, kind="stable")
        return sale[order], key[order], amount[order]


def price_path(run: Contagion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return stages with moves or breaches, their steps, and marks after each; ticks.

    Returns
    -------
    (n_stages,), (n_stages,) and (n_stages, n_assets)
    """
    moves = run.tables["price_moves"]
    breaches = run.liquidations
    steps_of = {name: as_int(rows["step"]) for name, rows in (("m", moves), ("b", breaches))}
    both = np.concatenate([as_int(moves["stage"]), as_int(breaches["stage"])])
    stages, first = np.unique(both, return_index=True)
    marks = np.zeros((stages.size, run.n_assets), np.int64)
    place = np.searchsorted(stages, as_int(moves["stage"]))
    change = as_int(moves["to_ticks"]) - as_int(moves["from_ticks"])
    np.add.at(marks, (place, as_int(moves["asset"])), change)
    marks = run.initial_prices + np.cumsum(marks, axis=0)
    return stages, np.concatenate([steps_of["m"], steps_of["b"]])[first], marks


def _add_ons(run: Contagion, steps: np.ndarray) -> np.ndarray:
    """Return what was added to maintenance rates at each stage; (n_stages, n_assets)."""
    rows, found = run.tables["requirements"], np.zeros((steps.size, run.n_assets))
    for a in np.unique(as_int(rows["asset"])).tolist():
        mine = np.flatnonzero(as_int(rows["asset"]) == a)
        since = np.searchsorted(as_int(rows["step"])[mine], steps, side="right") - 1
        found[:, a] = np.asarray(rows["maintenance_add_on"], float)[mine][np.maximum(since, 0)]
    return found


def _first_breaches(run: Contagion, stages: np.ndarray) -> Pools:
    rows = run.liquidations
    pools = np.column_stack([as_int(rows["account"]), run.is_cross, as_int(rows["asset"])])
    first = np.sort(np.unique(pools, axis=0, return_index=True)[1])
    legs, lots = run.tables["breach_legs"], np.zeros((run.ids.size, run.n_assets), np.int64)
    place = rows_of(as_int(legs["liquidation"]), run.ids)
    lots[place, as_int(legs["asset"])] = as_int(legs["position_lots"])
    return Pools(
        run.ids[first],
        as_int(rows["account"])[first],
        np.searchsorted(stages, as_int(rows["stage"])[first]),
        lots[first],
        as_int(rows["equity_micro_usd"])[first],
        as_int(rows["maintenance_micro_usd"])[first],
        run.is_cross[first],
    )


def _sales(run: Contagion, stages: np.ndarray) -> Sales:
    moves, causes = run.tables["price_moves"], run.tables["price_causes"]
    keys = [as_int(t["stage"]) * run.n_assets + as_int(t["asset"]) for t in (moves, causes)]
    order = np.argsort(keys[0], kind="stable")
    is_sale = np.asarray(causes["cause"] == CAUSES[LIQUIDATION], bool)
    move = order[np.searchsorted(keys[0][order], keys[1][is_sale])]
    size = as_int(moves["to_ticks"])[move] - as_int(moves["from_ticks"])[move]
    seller = as_int(causes["liquidation"])[is_sale]
    return Sales(
        np.searchsorted(stages, as_int(causes["stage"])[is_sale]),
        as_int(causes["asset"])[is_sale],
        as_int(run.liquidations["account"])[rows_of(seller, run.ids)],
        seller,
        np.asarray(causes["share"], float)[is_sale] * size,
    )
