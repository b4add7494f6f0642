"""Compiled choice of margin mode: by fixed share, and by the logit of what a trader sees."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from stresslab.core.columns import CANCEL_ALL, Accounts, Market, Orders
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.portable import exp
from stresslab.core.random import uniform
from stresslab.traders.choice.logit import Coefficients, View
from stresslab.traders.kernels.common import equity_of
from stresslab.traders.state import TraderColumns

#: Probabilities are compared in steps of 1e-9, far above the rounding of ``exp``.
_GRID = 1e9
_MOST = 700.0


@njit(cache=True)
def choose_by_share(
    rows: np.ndarray, cross_share: float, accounts: Accounts, market: Market, key: np.ndarray
) -> None:
    """Give each trader its mode for all perpetuals; spot is always in the cross pool."""
    for row in rows:
        is_cross = uniform(key, accounts.id[row], 0, 0) < cross_share
        for asset in range(market.mark.size):
            chosen = CROSS if is_cross or market.is_spot[asset] == 1 else ISOLATED
            accounts.chosen_mode[asset, row] = chosen


@njit(cache=True)
def choose_first_by_logit(
    rows: np.ndarray,
    coefficients: Coefficients,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    key: np.ndarray,
) -> None:
    """Choose the modes of planned books: positions stand in ``accounts``, no cash is moved yet."""
    for row in rows:
        id, free = accounts.id[row], _free_after_plan(accounts, columns, market, row)
        for asset in range(market.mark.size):
            if market.is_spot[asset] == 1:
                accounts.chosen_mode[asset, row] = CROSS
                continue
            view = _view(accounts, columns, market, row, asset, 0.0, free, columns.wealth[row])
            luck = uniform(key, id, 0, asset)
            accounts.chosen_mode[asset, row] = _choice(coefficients, view, luck)


@njit(cache=True)
def choose_by_logit(
    orders: Orders,
    first: int,
    last: int,
    coefficients: Coefficients,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    key: np.ndarray,
) -> None:
    """Choose the mode of every position that orders ``first`` to ``last`` would open."""
    last_row, last_asset = -1, -1
    for place in range(first, last):
        row, asset = orders.trader[place], orders.asset[place]
        if orders.kind[place] == CANCEL_ALL or orders.reduce_only[place] == 1:
            continue
        if (row == last_row and asset == last_asset) or market.is_spot[asset] == 1:
            continue
        if accounts.mode[asset, row] != FLAT:
            continue
        last_row, last_asset = row, asset
        _remember(accounts, columns, row, asset)
        wanted = np.float64(orders.lots[place] * market.mark[asset] * market.unit_value[asset])
        free = _free_in_cross_pool(accounts, market, row)
        equity = equity_of(accounts, market, row)
        view = _view(accounts, columns, market, row, asset, wanted, free, equity)
        luck = uniform(key, accounts.id[row], market.step[0], asset)
        accounts.chosen_mode[asset, row] = _choice(coefficients, view, luck)


@njit(cache=True)
def _choice(coefficients: Coefficients, view: View, luck: float) -> int:
    return CROSS if luck < probability(coefficients, view) else ISOLATED


@njit(cache=True)
def probability(coefficients: Coefficients, view: View) -> float:
    """Return the probability of cross margin, on a grid of 1e-9."""
    utility = (
        coefficients.constant
        + coefficients.free_collateral * view.free_share
        + coefficients.other_positions * view.n_others
        + coefficients.offsetting * view.offset
        + coefficients.risk_aversion * view.risk_aversion
        + coefficients.experience * view.experience
    )
    bounded = max(-_MOST, min(_MOST, utility))
    return np.rint(_GRID / (1.0 + exp(-bounded))) / _GRID


@njit(cache=True)
def _remember(accounts: Accounts, columns: TraderColumns, row: int, asset: int) -> None:
    """Count liquidations since the last look against the mode that the lost position had."""
    new = accounts.n_liquidations[row] - columns.seen_liquidations[row]
    if new > 0:
        sign = 1 if accounts.chosen_mode[asset, row] == ISOLATED else -1
        columns.experience[row] += sign * new
        columns.seen_liquidations[row] += new


@njit(cache=True)
def _free_after_plan(accounts: Accounts, columns: TraderColumns, market: Market, row: int) -> int:
    """Return wealth less the initial margin of all planned positions, at the venue's lowest rate."""
    free = columns.wealth[row]
    for asset in range(market.mark.size):
        free -= _lowest_margin(market, asset, accounts.position[asset, row])
    return free


@njit(cache=True)
def _free_in_cross_pool(accounts: Accounts, market: Market, row: int) -> int:
    """Return equity less initial margin of the cross pool, at the venue's lowest rate."""
    free = accounts.wallet[row]
    for asset in range(market.mark.size):
        if accounts.mode[asset, row] == CROSS:
            lots = accounts.position[asset, row]
            free += lots * market.mark[asset] * market.unit_value[asset]
            free -= _lowest_margin(market, asset, lots)
    return free


@njit(cache=True)
def _lowest_margin(market: Market, asset: int, lots: int) -> int:
    notional = abs(lots) * market.mark[asset] * market.unit_value[asset]
    return np.int64(math.ceil(notional * market.initial_rate[asset]))


@njit(cache=True)
def _view(
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    row: int,
    asset: int,
    wanted: float,
    free: int,
    equity: int,
) -> View:
    n_others = 0
    for other in range(market.mark.size):
        n_others += other != asset and accounts.position[other, row] != 0
    free_share = min(1.0, max(0.0, free / equity)) if equity > 0 else 0.0
    offset = _offset(accounts, market, row, asset, wanted)
    return View(
        free_share,
        n_others,
        offset,
        columns.risk_aversion[row],
        np.float64(columns.experience[row]),
    )


@njit(cache=True)
def _offset(accounts: Accounts, market: Market, row: int, asset: int, wanted: float) -> float:
    """Return the part of the book's risk that its legs cancel: 1 - sd(book) / sum of sd(legs)."""
    n_assets = market.mark.size
    risk = np.zeros(n_assets)
    total = 0.0
    for a in range(n_assets):
        value = np.float64(accounts.position[a, row] * market.mark[a] * market.unit_value[a])
        if a == asset:
            value += wanted
        risk[a] = value * (market.normal_volatility[a] if market.normal_volatility[a] > 0 else 1.0)
        total += abs(risk[a])
    if total == 0.0:
        return 0.0
    variance = 0.0
    for a in range(n_assets):
        for b in range(n_assets):
            variance += risk[a] * risk[b] * market.correlation[a, b]
    return max(0.0, 1.0 - math.sqrt(max(0.0, variance)) / total)
