"""A stream of order messages replayed on the engine's order book, orders known by name.

Messages are ``[L, name, side, quantity, price]`` (limit), ``[M, name, side, quantity]`` (market),
``[I, name, side, quantity, price]`` (immediate or cancel), ``[P, name, side, quantity, price]``
(post only), ``[C, name]`` (cancel) and ``[A, name, quantity, price]`` (amend: what is left of the
order becomes ``quantity`` at ``price``; None leaves either). Side is +1 to buy, -1 to sell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY
from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, exact
from stresslab.market.limit_order_book.order_book import OrderBook

ORDER_KINDS = {"L": LIMIT, "M": MARKET, "I": IOC, "P": POST_ONLY}
CANCEL, AMEND = "C", "A"


class Replay(NamedTuple):
    """What a stream of messages left: trades in order, books best first and oldest first."""

    trades: list[tuple[Any, Any, Number, Number]]  # maker, taker, price of the maker, quantity
    bids: list[tuple[Any, Number, Number]]  # name, price, quantity
    asks: list[tuple[Any, Number, Number]]


def replay(messages: Sequence[Sequence[Any]]) -> Replay:
    """Return what price-time priority makes of the messages.

    Lowering an order keeps its place; raising it or changing its price loses it and meets the
    book anew. Cancelling or amending what is gone is ignored. No order meets itself.

    Raises
    ------
    StresslabError
        When a message is of no known kind or a side is neither +1 nor -1.
    """
    book = _NamedBook(messages)
    for message in messages:
        book.take(message)
    return Replay(book.trades, book.side(book.book.bids()), book.side(book.book.asks()))


class _NamedBook:
    """The engine's book on the ladder of prices and the unit of quantity that messages name.

    Matching asks for the order of prices only, so the n-th lowest price becomes n ticks.
    """

    def __init__(self, messages: Sequence[Sequence[Any]]) -> None:
        self.prices = sorted({price for m in messages for price in _prices(m)})
        quantities = [quantity for m in messages for quantity in _quantities(m)]
        self.lots_per_unit = math.lcm(*(quantity.denominator for quantity in quantities))
        self.ticks = {price: place for place, price in enumerate(self.prices, start=1)}
        self.names: list[Any] = []  # by owner: every order is an owner of its own
        self.handles: dict[Any, tuple[int, int, int, int]] = {}  # handle, owner, side, ticks
        n_orders = max(1, sum(m[0] in ORDER_KINDS for m in messages))
        self.book = OrderBook(max(1, len(self.prices)), n_orders, capacity=n_orders)
        self.trades: list[tuple[Any, Any, Number, Number]] = []

    def take(self, message: Sequence[Any]) -> None:
        kind, name = message[0], message[1]
        if kind == CANCEL:
            self._cancel(name)
        elif kind == AMEND:
            self._amend(name, message[2], message[3] if len(message) > 3 else None)
        elif kind in ORDER_KINDS:
            self._enter(message)
        else:
            raise StresslabError(f"message {kind!r} is none of {', '.join(ORDER_KINDS)}, C, A")

    def side(self, orders: list[tuple[int, int, int]]) -> list[tuple[Any, Number, Number]]:
        return [(self.names[o], self._price(p), self._quantity(lots)) for o, p, lots in orders]

    def _enter(self, message: Sequence[Any]) -> None:
        kind, name, _, quantity = message[:4]
        side = int(exact(message[2]))
        if side not in (1, -1):
            raise StresslabError(f"side of order {name!r}: {message[2]!r} is neither 1 nor -1")
        prices = _prices(message)
        ticks = self.ticks[prices[0]] if prices else 0
        self.names.append(name)
        self._submit(name, len(self.names) - 1, side, self._lots(quantity), ticks, kind)

    def _submit(self, name: Any, owner: int, side: int, lots: int, ticks: int, kind: str) -> None:
        handle = -1
        if lots > 0:
            handle, trades = self.book.submit(owner, side * lots, ticks, ORDER_KINDS[kind])
            for maker, taker, price, filled in trades:
                names = self.names[maker], self.names[taker]
                self.trades.append((*names, self._price(price), self._quantity(filled)))
        self.handles[name] = (handle, owner, side, ticks)

    def _cancel(self, name: Any) -> None:
        if name in self.handles:
            self.book.cancel(self.handles[name][0])

    def _amend(self, name: Any, quantity: Any, price: Any) -> None:
        handle, owner, side, ticks = self.handles.get(name, (-1, -1, 0, 0))
        resting = abs(self.book.resting_lots(handle))
        if resting == 0:
            return
        lots = resting if quantity is None else self._lots(quantity)
        new_ticks = ticks if price is None else self.ticks[exact(price)]
        if new_ticks == ticks and lots <= resting:
            self.book.reduce(handle, resting - lots)
            return
        self.book.cancel(handle)
        self._submit(name, owner, side, lots, new_ticks, "L")

    def _lots(self, quantity: Any) -> int:
        return int(exact(quantity) * self.lots_per_unit)

    def _price(self, ticks: int) -> Number:
        return _plain(self.prices[ticks - 1])

    def _quantity(self, lots: int) -> Number:
        return _plain(Fraction(lots, self.lots_per_unit))


def _prices(message: Sequence[Any]) -> list[Fraction]:
    place = {"L": 4, "I": 4, "P": 4, AMEND: 3}.get(message[0], len(message))
    named = message[place : place + 1]
    return [exact(price) for price in named if price is not None]


def _quantities(message: Sequence[Any]) -> list[Fraction]:
    place = 2 if message[0] == AMEND else 3
    return [exact(quantity) for quantity in message[place : place + 1] if quantity is not None]


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
