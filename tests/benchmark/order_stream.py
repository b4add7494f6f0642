"""A seeded stream of order-book messages with the fills that a plain book gives.

About 45 % limit, 15 % market and 40 % cancel messages, some ``resting`` orders in the book. The
plain book keeps a queue per price and heaps of prices; it knows nothing of the compiled one.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import LIMIT, MARKET

CANCEL = -1
MIDDLE, SPREAD_OF_MIDDLE = 10_000, 4_000


class Stream(NamedTuple):
    """Messages in order, and the fills they must give."""

    kind: np.ndarray  # LIMIT, MARKET or CANCEL
    owner: np.ndarray
    lots: np.ndarray  # signed
    price: np.ndarray  # ticks
    cancelled: np.ndarray  # place of the message whose order is withdrawn
    fills: np.ndarray  # (n, 4): taker, maker (owners), signed lots, price


def make_stream(n: int, resting: int, n_owners: int, seed: int = 1) -> Stream:
    """Return ``n`` messages; ``n_owners`` 0 makes every order `external`."""
    chance, book = random.Random(seed), _PlainBook()
    rows, middle = [], float(MIDDLE)
    for place in range(n):
        middle = min(max(middle + chance.gauss(0, 0.2), MIDDLE - SPREAD_OF_MIDDLE), 14_000)
        side = chance.choice((1, -1))
        owner = chance.randrange(n_owners) if n_owners else -1
        kind = _choose_kind(chance, len(book.live), resting)
        if kind == CANCEL:
            target = book.pick(chance)
            rows.append((CANCEL, owner, 0, 0, target))
            book.withdraw(target)
            continue
        lots = side * (1 + int(chance.expovariate(1 / (40 if kind == LIMIT else 8))))
        away = int(chance.expovariate(1 / 15)) + (-2 if chance.random() < 0.03 else 1)
        price = int(middle) - away if side > 0 else int(middle) + 1 + away
        rows.append((kind, owner, lots, price, -1))
        book.submit(place, owner, lots, price if kind == LIMIT else None)
    columns = np.array(rows, np.int64).T
    return Stream(*(column.copy() for column in columns), np.array(book.fills, np.int64))


def _choose_kind(chance: random.Random, n_live: int, resting: int) -> int:
    chosen = chance.choices((LIMIT, MARKET, CANCEL), (45, 15, 40))[0]
    if chosen == CANCEL and n_live < resting:
        return LIMIT
    if chosen == LIMIT and n_live > 2 * resting:
        return CANCEL
    return chosen


class _PlainBook:
    def __init__(self) -> None:
        self.queues: dict[tuple[int, int], deque[int]] = {}
        self.heaps: dict[int, list[int]] = {1: [], -1: []}
        self.live: dict[int, list[int]] = {}  # message -> [owner, side, lots left]
        self.order: list[int] = []
        self.place: dict[int, int] = {}
        self.fills: list[tuple[int, int, int, int]] = []

    def submit(self, name: int, owner: int, lots: int, limit: int | None) -> None:
        side, left = (1 if lots > 0 else -1), abs(lots)
        while left:
            best = self._best(-side)
            if best is None or (limit is not None and (limit - best) * side < 0):
                break
            queue = self.queues[-side, best]
            maker = self.live[queue[0]]
            if maker[0] == owner >= 0:
                self.withdraw(queue[0])
                continue
            amount = min(left, maker[2])
            self.fills.append((owner, maker[0], amount * side, best))
            left -= amount
            maker[2] -= amount
            if not maker[2]:
                self.withdraw(queue[0])
        if left and limit is not None:
            self._rest(name, owner, side, left, limit)

    def withdraw(self, name: int) -> None:
        del self.live[name]
        place, last = self.place.pop(name), self.order.pop()
        if last != name:
            self.order[place] = last
            self.place[last] = place

    def pick(self, chance: random.Random) -> int:
        return self.order[int(chance.random() * len(self.order))]

    def _rest(self, name: int, owner: int, side: int, lots: int, price: int) -> None:
        if (side, price) not in self.queues:
            self.queues[side, price] = deque()
            heapq.heappush(self.heaps[side], -side * price)
        self.queues[side, price].append(name)
        self.live[name] = [owner, side, lots]
        self.place[name] = len(self.order)
        self.order.append(name)

    def _best(self, side: int) -> int | None:
        """Return the best price of a side; dead orders and prices are dropped on the way."""
        heap = self.heaps[side]
        while heap:
            price = -side * heap[0]
            queue = self.queues[side, price]
            while queue and queue[0] not in self.live:
                queue.popleft()
            if queue:
                return price
            heapq.heappop(heap)
            del self.queues[side, price]
        return None
