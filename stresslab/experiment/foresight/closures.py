"""What pools in breach would close at given marks, without running the market."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.theory.course import Due
from stresslab.core.columns import Accounts
from stresslab.margin.pools import pool_states
from stresslab.margin.tiers import RATE_UNIT, MarginTables
from stresslab.model.world import World
from stresslab.scenario import Scenario

MICRO_USD = 1_000_000


def closures(
    scenario: Scenario, world: World, codes: np.ndarray, positions: np.ndarray, is_cross: np.ndarray
) -> Due:
    """Return a function of the marks, and of what pools have sold otherwise, for what they close.

    Parameters
    ----------
    codes : (n_pools,) codes of the pools
    positions : (n_pools, n_assets) signed lots
    is_cross : (n_pools,)
    """
    accounts, tables = world.clearing.accounts, world.clearing.tables
    target = scenario.liquidation.liquidation_target
    modes = [scenario.margin.isolated, scenario.margin.cross]
    restores = np.array([mode.closure.measures_legs for mode in modes])[is_cross.astype(int)]
    fee = scenario.market.fees.taker_rate
    costs = np.array([fee + mode.penalty_rate for mode in modes])[is_cross.astype(int)]

    def due(prices: np.ndarray, sold: np.ndarray, cash: np.ndarray) -> np.ndarray:
        marks = np.maximum(1, np.rint(prices)).astype(np.int64)
        after = _having_sold(accounts, codes, sold, cash)
        equity, need, _ = pool_states(after, tables, marks, codes)
        is_breached, held = equity < need, positions - sold
        share = np.zeros(positions.shape)
        share[is_breached & ~restores] = 1.0
        partly = is_breached & restores
        values = np.abs(held[partly]) * (marks * tables.unit_value)
        missing = need[partly] - target * np.maximum(equity[partly], 0)
        share[partly] = _shares(tables, values, missing, target * costs[partly])
        return held * share

    return due


def _having_sold(
    accounts: Accounts, codes: np.ndarray, sold: np.ndarray, cash: np.ndarray
) -> Accounts:
    """Return accounts whose pools hold so many lots less and so many USD more."""
    pool, row = np.divmod(codes, accounts.id.size)
    position, wallet = accounts.position.copy(), accounts.cash.copy()
    np.subtract.at(position.T, row, np.rint(sold).astype(np.int64))
    wallet[pool, row] += np.rint(cash * MICRO_USD).astype(np.int64)
    return accounts._replace(position=position, cash=wallet)


def _shares(
    tables: MarginTables, values: np.ndarray, missing: np.ndarray, cost: np.ndarray
) -> np.ndarray:
    """Return the part of every leg that makes up for missing margin, largest leg first.

    Closing a notional v frees its maintenance rate m times v and costs c times v of what the
    target leaves of equity: ``v = missing / (m - c)``, or the whole leg where that is not enough.
    """
    rate, whole = _maintenance(tables, values)
    order = np.argsort(-whole, axis=1, kind="stable")
    share, left = np.zeros(values.shape), missing.astype(np.float64)
    rows = np.arange(len(values))
    for place in range(values.shape[1]):
        leg = order[:, place]
        value, freed = values[rows, leg], rate[rows, leg] - cost
        is_enough = freed * value > left
        part = np.where(is_enough, left / np.where(freed > 0, freed, 1.0), value)
        part = np.where((left > 0) & (value > 0), part, 0.0)
        share[rows, leg] = np.divide(part, value, out=np.zeros(len(value)), where=value > 0)
        left = left - part * freed
    return share


def _maintenance(tables: MarginTables, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the marginal maintenance rate and the maintenance margin of every leg."""
    rate, whole = np.zeros(values.shape), np.zeros(values.shape)
    for asset in range(values.shape[1]):
        floors = tables.floor[asset, : tables.n_lines[asset]]
        k = np.maximum(np.searchsorted(floors, values[:, asset], side="left") - 1, 0)
        rate[:, asset] = tables.rate[asset, k] / RATE_UNIT
        whole[:, asset] = rate[:, asset] * values[:, asset] - tables.deduction[asset, k]
    return rate, np.where(values > 0, whole, 0.0)
