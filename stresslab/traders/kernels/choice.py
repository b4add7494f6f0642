"""Compiled choice of margin mode: by fixed share, and by the logit of what a trader sees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stresslab.core.columns import CANCEL_ALL, Orders
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.portable import exp
from stresslab.core.random import uniform
from stresslab.traders.choice.logit import Coefficients, View
from stresslab.traders.kernels.common import Sight, equity_of

if TYPE_CHECKING:
    from stresslab.traders.group import Group

#: Probabilities are compared in steps of 1e-9, far above the rounding of ``exp``.
_GRID = 1e9
_MOST = 700.0


class ChoiceColumns(NamedTuple):
    """The columns that a choice of mode reads and writes beside those of every rule."""

    mode: np.ndarray  # (A, N)
    chosen_mode: np.ndarray  # (A, N)
    wealth: np.ndarray  # (N,)
    risk_aversion: np.ndarray  # (N,)
    n_liquidations: np.ndarray  # (N,)
    seen_liquidations: np.ndarray  # (N,)
    experience: np.ndarray  # (N,)
    correlation: np.ndarray  # (A, A)


def choice_columns(group: Group) -> ChoiceColumns:
    """Gather the columns of a group's traders."""
    held = {**group.market._asdict(), **group.columns._asdict(), **group.accounts._asdict()}
    held["n_liquidations"] = group.accounts.n_liquidations
    return ChoiceColumns(*(held[name] for name in ChoiceColumns._fields))


@kernel
def choose_by_share(
    rows: np.ndarray,
    cross_share: float,
    ids: np.ndarray,
    is_spot: np.ndarray,
    chosen_mode: np.ndarray,
    key: np.ndarray,
) -> None:
    """Give each trader its mode for all perpetuals; spot is always in the cross pool."""
    for row in rows:
        is_cross = uniform(key, ids[row], 0, 0) < cross_share
        for asset in range(is_spot.size):
            chosen_mode[asset, row] = CROSS if is_cross or is_spot[asset] == 1 else ISOLATED


@kernel
def choose_first_by_logit(
    rows: np.ndarray,
    coefficients: Coefficients,
    sight: Sight,
    columns: ChoiceColumns,
    key: np.ndarray,
) -> None:
    """Choose the modes of planned books: positions stand in the accounts, no cash is moved yet."""
    for row in rows:
        wealth = columns.wealth[row]
        free = wealth
        for asset in range(sight.is_spot.size):
            free -= _lowest_margin(sight, asset, row)
        for asset in range(sight.is_spot.size):
            if sight.is_spot[asset] == 1:
                columns.chosen_mode[asset, row] = CROSS
                continue
            view = _view(sight, columns, row, asset, 0.0, free, wealth)
            luck = uniform(key, sight.id[row], 0, asset)
            columns.chosen_mode[asset, row] = _choice(coefficients, view, luck)


@kernel
def choose_by_logit(
    orders: Orders,
    first: int,
    last: int,
    coefficients: Coefficients,
    sight: Sight,
    columns: ChoiceColumns,
    step: int,
    key: np.ndarray,
) -> None:
    """Choose the mode of every position that orders ``first`` to ``last`` would open."""
    mode, is_spot = columns.mode, sight.is_spot
    last_row, last_asset = -1, -1
    for place in range(first, last):
        row, asset = orders.trader[place], orders.asset[place]
        is_same = row == last_row and asset == last_asset
        if is_same or mode[asset, row] != FLAT or is_spot[asset] == 1:
            continue
        if orders.kind[place] >= CANCEL_ALL or orders.reduce_only[place] == 1:
            continue
        last_row, last_asset = row, asset
        _remember(columns, row, asset)
        wanted = np.float64(orders.lots[place] * sight.lot_value[asset])
        equity = equity_of(sight.cash, sight.position, sight.lot_value, row)
        free = _free_in_cross_pool(sight, mode, row)
        view = _view(sight, columns, row, asset, wanted, free, equity)
        luck = uniform(key, sight.id[row], step, asset)
        columns.chosen_mode[asset, row] = _choice(coefficients, view, luck)


@kernel
def _choice(coefficients: Coefficients, view: View, luck: float) -> int:
    return CROSS if luck < probability(coefficients, view) else ISOLATED


@kernel
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


@kernel
def _remember(columns: ChoiceColumns, row: int, asset: int) -> None:
    """Count liquidations since the last look against the mode that the lost position had."""
    new = columns.n_liquidations[row] - columns.seen_liquidations[row]
    if new > 0:
        sign = 1 if columns.chosen_mode[asset, row] == ISOLATED else -1
        columns.experience[row] += sign * new
        columns.seen_liquidations[row] += new


@kernel
def _free_in_cross_pool(sight: Sight, mode: np.ndarray, row: int) -> int:
    """Return equity less initial margin of the cross pool, at the venue's lowest rate."""
    free = sight.cash[0, row]
    for asset in range(sight.is_spot.size):
        if mode[asset, row] == CROSS:
            free += sight.position[asset, row] * sight.lot_value[asset]
            free -= _lowest_margin(sight, asset, row)
    return free


@kernel
def _lowest_margin(sight: Sight, asset: int, row: int) -> int:
    notional = abs(sight.position[asset, row]) * sight.lot_value[asset]
    return np.int64(math.ceil(notional * sight.initial_rate[asset]))


@kernel
def _view(
    sight: Sight,
    columns: ChoiceColumns,
    row: int,
    asset: int,
    wanted: float,
    free: int,
    equity: int,
) -> View:
    n_others = 0
    for other in range(sight.is_spot.size):
        n_others += other != asset and sight.position[other, row] != 0
    free_share = min(1.0, max(0.0, free / equity)) if equity > 0 else 0.0
    offset = _offset(sight, columns.correlation, row, asset, wanted)
    experience = np.float64(columns.experience[row])
    return View(free_share, n_others, offset, columns.risk_aversion[row], experience)


@kernel
def _offset(sight: Sight, correlation: np.ndarray, row: int, asset: int, wanted: float) -> float:
    """Return the part of the book's risk that its legs cancel: 1 - sd(book) / sum of sd(legs)."""
    n_assets = sight.is_spot.size
    total, variance = 0.0, 0.0
    for a in range(n_assets):
        risk = _risk(sight, row, a, asset, wanted)
        total += abs(risk)
        for b in range(n_assets):
            variance += risk * _risk(sight, row, b, asset, wanted) * correlation[a, b]
    if total == 0.0:
        return 0.0
    return max(0.0, 1.0 - math.sqrt(max(0.0, variance)) / total)


@kernel
def _risk(sight: Sight, row: int, a: int, asset: int, wanted: float) -> float:
    """Return the signed risk of a leg, with what the trader wants of ``asset`` added."""
    value = np.float64(sight.position[a, row] * sight.lot_value[a])
    if a == asset:
        value += wanted
    volatility = sight.normal_volatility[a]
    return value * (volatility if volatility > 0.0 else 1.0)
