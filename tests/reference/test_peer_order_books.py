"""The order book against two engines that others wrote, on random streams of messages.

The ordinary suite sends some thousands of messages to each. For the full size, which takes
three minutes:

    STRESSLAB_PEER_MESSAGES=1000000 python -m pytest -n0 -s tests/reference/test_peer_order_books.py
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections import Counter

import pytest

from stresslab.core.columns import LIMIT, POST_ONLY
from tests.reference.peers import Bourse, Obook, Ours, Trade

N_MESSAGES = int(os.environ.get("STRESSLAB_PEER_MESSAGES", "25000"))
N_COMPARISONS = 50
HIGHEST = 4000
#: bourse has no wheel for Python 3.13 and needs a Rust compiler there; pyproject.toml says so too.
HAS_BOURSE = sys.version_info < (3, 13)


class Stream:
    """A random stream of messages around a price that wanders, sent to both books at once."""

    def __init__(self, ours, peer, seed: int) -> None:
        self.ours, self.peer = ours, peer
        self.chance = random.Random(seed)
        self.middle = HIGHEST // 2
        self.alive: list[int] = []  # orders that may rest
        self.sides: dict[int, int] = {}
        self.prices: dict[int, int] = {}
        self.trades: list[Trade] = []
        self.sent: Counter[str] = Counter()

    def message(self, number: int) -> None:
        self.middle = min(max(self.middle + self.chance.choice((-1, 0, 0, 0, 1)), 500), 3500)
        action = self.chance.choices(
            ("submit", "cancel", "reduce", "replace"), (72, 13, 6, 9)
        )[0]  # fmt: skip
        if action == "submit" or not self.alive:
            self._submit(number)
            return
        order = self._pick()
        left = self.ours.lots_of(order)
        if action == "reduce" and left > 1:
            self._reduce(order, left)
        elif action == "replace" and left > 0:
            self._replace(order)
        else:
            self._cancel(order)

    def _pick(self) -> int:
        """Return an order, nine times out of ten one that still rests."""
        while True:
            place = self.chance.randrange(len(self.alive))
            order = self.alive[place]
            if self.ours.lots_of(order) > 0 or len(self.alive) == 1:
                return order
            self.alive[place] = self.alive[-1]
            self.alive.pop()
            if self.chance.random() < 0.1:
                return order

    def _submit(self, number: int) -> None:
        side, lots = self.chance.choice((1, -1)), 1 + int(self.chance.expovariate(0.2))
        kinds = self.peer.kinds
        kind = self.chance.choices(kinds, (76, 8, 6, 10)[: len(kinds)])[0]
        price = self._price(side)
        self.trades += self.ours.submit(number, side, lots, price, kind)
        self.peer.submit(number, side, lots, price, kind)
        self.sides[number], self.prices[number] = side, price
        if kind in (LIMIT, POST_ONLY):
            self.alive.append(number)
        self.sent[("limit", "market", "ioc", "post-only")[kind]] += 1

    def _cancel(self, order: int) -> None:
        self.ours.cancel(order)
        self.peer.cancel(order)
        self.sent["cancel"] += 1

    def _reduce(self, order: int, left: int) -> None:
        lots = self.chance.randrange(1, left)
        self.ours.reduce(order, lots)
        self.peer.reduce(order, lots, left - lots)
        self.sent["reduce"] += 1

    def _replace(self, order: int) -> None:
        side, old = self.sides[order], self.prices[order]
        price = self._price(side)
        price += price == old  # at its price it would keep its place in some engines
        lots = 1 + int(self.chance.expovariate(0.2))
        self.trades += self.ours.replace(order, side, lots, price)
        self.peer.replace(order, side, lots, price)
        self.prices[order] = price
        self.sent["replace"] += 1

    def _price(self, side: int) -> int:
        price = int(self.chance.gauss(self.middle - 7 * side, 10))
        return min(max(price, 1), HIGHEST - 1)


def compared(peer, n_messages: int, seed: int) -> Stream:
    """Send a stream to both books and compare trades and books all along."""
    stream = Stream(Ours(HIGHEST, n_messages), peer, seed)
    every = n_messages // N_COMPARISONS
    for number in range(n_messages):
        stream.message(number)
        if (number + 1) % every == 0:
            ours, theirs = stream.ours.resting(), peer.resting()
            assert peer.trades() == stream.trades
            if peer.tells_queues:
                assert theirs == ours
            assert sorted(theirs) == sorted(ours)
    return stream


def told(name: str, stream: Stream) -> None:
    sent = ", ".join(f"{count:,} {kind}" for kind, count in sorted(stream.sent.items()))
    n_resting = len(stream.ours.resting())
    print(f"\n{name}: {sent}; {len(stream.trades):,} trades equal, {n_resting:,} orders rest")


def has_traded(stream: Stream, n_messages: int) -> bool:
    return len(stream.trades) > n_messages / 5 and len(stream.ours.resting()) > 50


def test_trades_and_queues_are_those_of_obook():
    stream = compared(Obook(N_MESSAGES), N_MESSAGES, seed=1)
    told("obook", stream)
    assert sum(stream.sent.values()) == N_MESSAGES
    assert has_traded(stream, N_MESSAGES)
    assert min(stream.sent.values()) > N_MESSAGES / 100 and len(stream.sent) == 7


@pytest.mark.skipif(not HAS_BOURSE, reason="bourse 0.4.0 has no wheel for this Python")
def test_trades_and_orders_are_those_of_bourse():
    stream = compared(Bourse(N_MESSAGES), N_MESSAGES, seed=2)
    told("bourse", stream)
    assert sum(stream.sent.values()) == N_MESSAGES
    assert has_traded(stream, N_MESSAGES)
    assert min(stream.sent.values()) > N_MESSAGES / 100 and len(stream.sent) == 5


def test_both_peers_are_installed_where_they_can_be():
    assert importlib.util.find_spec("obook")
    assert bool(importlib.util.find_spec("bourse")) == HAS_BOURSE
