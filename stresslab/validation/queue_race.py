"""Which queue at the touch empties first: counted on the order book, and solved for exactly.

Orders of one lot come to the best bid and to the best ask at one rate each, market orders take the
oldest at another, and every order is withdrawn at a third. The mid moves when a queue is empty.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import LIMIT, MARKET, Fills, make_fills
from stresslab.core.compiled import kernel
from stresslab.core.random import Streams, uniform
from stresslab.market.limit_order_book import (
    LimitOrderBooks,
    best_ask,
    best_bid,
    cancel,
    cancel_all,
    make_limit_order_books,
    submit,
    top_quantity,
)

_BID, _ASK = 100, 101
_ROOM = 64  # orders a queue can hold; with the rates of the source it never comes near
_TRADER = 0
_ACTION, _WHICH = range(2)


class Rates(NamedTuple):
    """Events per second, on each side."""

    limit: float
    market: float
    cancel: float  # of each order


def counted(rates: Rates, bid: int, ask: int, races: int, seed: int) -> int:
    """Return in how many races the ask empties first, from queues of so many orders."""
    books = make_limit_order_books([_ASK + 2], 1, 4 * _ROOM)
    queues = np.zeros((2, _ROOM), np.int64)
    key = Streams(seed, 0)[f"race/{bid}/{ask}"]
    columns = np.array(rates)
    return int(_count(books, queues, columns, bid, ask, races, key, make_fills(_ROOM)))


@cache
def probabilities_up(rates: Rates, size: int = 30) -> np.ndarray:
    """Return the chance that the ask empties first, by orders at the bid and the ask, from 1 on.

    One linear system of the first step's outcomes; no queue grows beyond ``size``.

    References
    ----------
    Cont, Stoikov and Talreja (2010), A stochastic model for order book dynamics, Operations
    Research 58, 549-563, section 4.
    """
    system, right = np.eye(size * size), np.zeros(size * size)
    for place in range(size * size):
        bid, ask = place // size + 1, place % size + 1
        moves = (
            (min(bid + 1, size), ask, rates.limit),
            (bid, min(ask + 1, size), rates.limit),
            (bid - 1, ask, rates.market + rates.cancel * bid),
            (bid, ask - 1, rates.market + rates.cancel * ask),
        )
        total = sum(rate for *_, rate in moves)
        for next_bid, next_ask, rate in moves:
            if next_ask == 0:
                right[place] += rate / total
            elif next_bid > 0:
                system[place, (next_bid - 1) * size + next_ask - 1] -= rate / total
    return np.linalg.solve(system, right).reshape(size, size)


@kernel
def _count(  # type: ignore[no-untyped-def]
    books: LimitOrderBooks, queues, rates, bid: int, ask: int, races: int, key, fills: Fills
) -> int:
    up = 0
    for race in range(races):
        cancel_all(books, 0, _TRADER, 0)
        for place in range(bid):
            _join(books, queues, 0, place, fills)
        for place in range(ask):
            _join(books, queues, 1, place, fills)
        event = 0
        while best_bid(books, 0) == _BID and best_ask(books, 0) == _ASK:
            _next(books, queues, rates, race, event, key, fills)
            event += 1
        up += int(best_bid(books, 0) == _BID)
    return up


@kernel
def _next(books, queues, rates, race, event, key, fills):  # type: ignore[no-untyped-def]
    """Let one order come, trade or go."""
    lengths = top_quantity(books, 0)
    limit, market, leave = rates[0], rates[1], rates[2]
    n_orders = lengths[0] + lengths[1]
    chosen = uniform(key, race, event, _ACTION) * (2.0 * (limit + market) + leave * n_orders)
    side = 0 if uniform(key, race, event, _WHICH) < 0.5 else 1
    if chosen < 2.0 * limit:
        _join(books, queues, side, lengths[side], fills)
        return
    place = 0
    chosen -= 2.0 * limit
    if chosen < 2.0 * market:
        fills.n[0] = 0
        submit(books, 0, -1, MARKET, -1 if side == 0 else 1, 0, 1, fills)
    else:
        place = min(int((chosen - 2.0 * market) / leave), n_orders - 1)
        side = int(place >= lengths[0])
        place -= side * lengths[0]
        cancel(books, 0, queues[side, place])
    for after in range(place, lengths[side] - 1):
        queues[side, after] = queues[side, after + 1]


@kernel
def _join(books, queues, side, place, fills):  # type: ignore[no-untyped-def]
    lots, price = (1, _BID) if side == 0 else (-1, _ASK)
    submit(books, 0, _TRADER, LIMIT, lots, price, 1, fills)
    queues[side, place] = books.last_order[0]
