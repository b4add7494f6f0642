"""Stop-losses and take-profits: orders that wait at the venue for a price, then go to the books."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import IOC, MARKET, N_STOPS, STOP, Accounts, Orders
from stresslab.core.compiled import kernel

STOP_LOSS, TAKE_PROFIT = 1, -1  # which way a price must turn, seen from the position


class StopBook(NamedTuple):
    """What traders have asked the venue to watch; the venue sees no more of it than this."""

    stop_ticks: np.ndarray  # (A, N) trigger of the stop-loss, 0 for none
    take_profit_ticks: np.ndarray  # (A, N) trigger of the take-profit, 0 for none
    waiting_ticks: np.ndarray  # (A, N) limit of a triggered stop that is not filled, 0 for none
    stop_trigger: np.ndarray  # (N,) row of ``prices`` that triggers: mark, last trade, index
    stop_offset: np.ndarray  # (N,) limit beyond the trigger, of it; negative: a market order


def look_at_stops(accounts: Accounts, prices: np.ndarray, stops: StopBook, orders: Orders) -> None:
    """Append the orders of all stops that ``prices`` (3, A) trigger, and of those that wait.

    An order closes the whole position and enters the books with the next step's orders; of a
    position's stop-loss and take-profit one cancels the other.
    """
    if _is_any_set(stops.stop_ticks):
        trigger_stops(accounts, prices, stops, stops.stop_ticks, STOP_LOSS, orders)
    if _is_any_set(stops.take_profit_ticks):
        trigger_stops(accounts, prices, stops, stops.take_profit_ticks, TAKE_PROFIT, orders)
    if _is_any_set(stops.waiting_ticks):
        send_waiting_stops(accounts, stops.waiting_ticks, orders)


def are_watched(stops: StopBook) -> bool:
    """Tell whether the venue has any price to watch, or an order that waits."""
    ticks = (stops.stop_ticks, stops.take_profit_ticks, stops.waiting_ticks)
    return any(map(_is_any_set, ticks))


def _is_any_set(ticks: np.ndarray) -> bool:
    """Tell whether any is not 0; ``any`` tells the same of integers in four times the time."""
    return bool(np.bitwise_or.reduce(ticks, axis=None) != 0)


@kernel
def trigger_stops(accounts, prices, stops, levels, turn, orders):
    """Trigger the stops in ``levels`` that a price has reached; ``turn``: which way it turned."""
    n_assets, n_accounts = accounts.position.shape
    for a in range(n_assets):
        for n in range(n_accounts):
            level = levels[a, n]
            if level == 0:
                continue
            held = accounts.position[a, n]
            if held == 0:
                levels[a, n] = 0
                continue
            side = turn if held > 0 else -turn
            if (prices[stops.stop_trigger[n], a] - level) * side <= 0:
                stops.stop_ticks[a, n] = 0
                stops.take_profit_ticks[a, n] = 0
                accounts.tally[N_STOPS, n] += 1
                if stops.stop_offset[n] < 0.0:
                    _append_stop(orders, n, a, -held, MARKET, 0)
                else:
                    stops.waiting_ticks[a, n] = limit_of(level, held, stops.stop_offset[n])


@kernel
def limit_of(level, held, offset):
    """Return the limit of a triggered stop: ``offset`` of the trigger worse for the trader."""
    if held > 0:
        return max(1, np.int64(math.floor(level * (1.0 - offset))))
    return np.int64(math.ceil(level * (1.0 + offset)))


@kernel
def send_waiting_stops(accounts, waiting, orders):
    """Append the limit orders of triggered stops that have not closed their position yet.

    They wait at the venue, not in the book, and take what the book offers within their limit.
    """
    n_assets, n_accounts = accounts.position.shape
    for a in range(n_assets):
        for n in range(n_accounts):
            if waiting[a, n] == 0:
                continue
            held = accounts.position[a, n]
            if held == 0:
                waiting[a, n] = 0
            else:
                _append_stop(orders, n, a, -held, IOC, waiting[a, n])


@kernel
def _append_stop(orders, n, asset, lots, kind, price):
    row = orders.n[0]
    orders.n[0] = row + 1
    orders.trader[row] = n
    orders.asset[row] = asset
    orders.kind[row] = kind
    orders.lots[row] = lots
    orders.price[row] = price
    orders.reduce_only[row] = 1
    orders.tag[row] = STOP
