"""Compiled rule of the leveraged speculator, and its stops and top-ups before the first step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.columns import MARKET, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.core.random import exponential, uniform
from stresslab.traders.kernels.common import Sight, equity_of, lots_of, send, usable_leverage
from stresslab.traders.state import NOT_PLANNED
from stresslab.traders.strategies.leveraged_speculator import ENTRY, EXIT, SIDE, USES, WAIT


class Memory(NamedTuple):
    """The columns that speculators write."""

    reentry_step: np.ndarray  # (A, N)
    stop_ticks: np.ndarray  # (A, N)
    stop_distance: np.ndarray  # (N,)
    take_profit_ticks: np.ndarray  # (A, N)
    take_profit_distance: np.ndarray  # (N,)
    topup_probability: np.ndarray  # (N,)
    topup_fraction: np.ndarray  # (N,)
    cut_probability: np.ndarray  # (N,)
    cut_fraction: np.ndarray  # (N,)


@kernel
def decide_speculator(
    rows: np.ndarray,
    values: Any,
    sight: Sight,
    memory: Memory,
    step: int,
    step_seconds: float,
    key: np.ndarray,
    orders: Orders,
) -> None:
    """Append the orders of the speculators in ``rows``; plan returns and set stops."""
    ids, trades, position, lot_value = sight.id, sight.trades, sight.position, sight.lot_value
    cash, leverage, n_traded, mark = sight.cash, sight.leverage, sight.n_traded, sight.mark
    initial_rate, is_spot = sight.initial_rate, sight.is_spot
    reentry_step, stop_ticks = memory.reentry_step, memory.stop_ticks
    stop_distance = memory.stop_distance
    profit_ticks, profit_distance = memory.take_profit_ticks, memory.take_profit_distance
    for row in rows:
        id = ids[row]
        for asset in range(lot_value.size):
            if trades[asset, row] == 0 or is_spot[asset] == 1:
                continue
            held, first = position[asset, row], USES * asset
            if held != 0:
                if uniform(key, id, step, first + EXIT) < values.exit_probability:
                    send(orders, row, asset, MARKET, -held, 0, 1, VOLUNTARY)
                continue
            if reentry_step[asset, row] == NOT_PLANNED:
                wait = values.reentry_seconds * exponential(key, id, step, first + WAIT)
                reentry_step[asset, row] = step + 1 + np.int64(math.floor(wait / step_seconds))
                stop_ticks[asset, row] = 0
                profit_ticks[asset, row] = 0
                continue
            if step < reentry_step[asset, row]:
                continue
            if uniform(key, id, step, first + ENTRY) >= values.entry_probability:
                continue
            equity = equity_of(cash, position, lot_value, row)
            usable = usable_leverage(leverage[row], initial_rate[asset], is_spot[asset])
            lots = lots_of(equity * usable / n_traded[row], lot_value[asset])
            if lots == 0:
                continue
            side = 1 if uniform(key, id, step, first + SIDE) < values.share_long else -1
            reentry_step[asset, row] = NOT_PLANNED
            stop_ticks[asset, row] = _stop(mark[asset], side, stop_distance[row], usable)
            profit_ticks[asset, row] = _stop(mark[asset], -side, profit_distance[row], usable)
            send(orders, row, asset, MARKET, side * lots, 0, 0, VOLUNTARY)


@kernel
def _stop(mark: int, side: int, distance: float, leverage: float) -> int:
    """Return where a new position's stop triggers, 0 for a trader without stops.

    ``side`` is that of the position for a stop-loss, the opposite for a take-profit.
    """
    if distance == 0.0:
        return 0
    return max(1, np.int64(math.floor(mark * (1.0 - side * distance / leverage))))


@kernel
def prepare_speculators(
    rows: np.ndarray,
    values: Any,
    sight: Sight,
    memory: Memory,
    stop_key: np.ndarray,
    topup_key: np.ndarray,
    profit_key: np.ndarray,
    cut_key: np.ndarray,
) -> None:
    """Set the columns of stops and top-ups once, before the first step."""
    position, is_spot, initial_rate = sight.position, sight.is_spot, sight.initial_rate
    for row in rows:
        id = sight.id[row]
        if uniform(stop_key, id, 0, 0) < values.stop_share:
            memory.stop_distance[row] = values.stop_loss
        if uniform(profit_key, id, 0, 0) < values.take_profit_share:
            memory.take_profit_distance[row] = values.take_profit
        if uniform(topup_key, id, 0, 0) < values.topup_share:
            memory.topup_probability[row] = values.topup_probability
            memory.topup_fraction[row] = values.topup_fraction
        if uniform(cut_key, id, 0, 0) < values.cut_share:
            memory.cut_probability[row] = values.cut_probability
            memory.cut_fraction[row] = values.cut_fraction
        for asset in range(is_spot.size):
            held = position[asset, row]
            if held == 0 or is_spot[asset] == 1:
                continue
            side = 1 if held > 0 else -1
            usable = usable_leverage(sight.leverage[row], initial_rate[asset], 0)
            distance = memory.stop_distance[row]
            memory.reentry_step[asset, row] = NOT_PLANNED
            gain = memory.take_profit_distance[row]
            memory.stop_ticks[asset, row] = _stop(sight.mark[asset], side, distance, usable)
            memory.take_profit_ticks[asset, row] = _stop(sight.mark[asset], -side, gain, usable)
