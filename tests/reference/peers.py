"""Two independent matching engines from the package index, behind the words of our own book.

Orders are known by the number that the caller gives them; sides are +1 to buy and -1 to sell. A
trade is (number of the resting order, price, lots); a resting order is (number, side, price, lots).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY
from stresslab.market.limit_order_book import OrderBook


class Trade(NamedTuple):
    maker: int
    price: int
    lots: int


class Resting(NamedTuple):
    order: int
    side: int
    price: int
    lots: int


class Ours:
    """The engine's book; every order is an owner of its own, so that none meets itself."""

    def __init__(self, highest_price: int, n_orders: int) -> None:
        self.book = OrderBook(highest_price, n_orders, capacity=n_orders)
        self.handles: dict[int, int] = {}

    def submit(self, order: int, side: int, lots: int, price: int, kind: int) -> list[Trade]:
        handle, trades = self.book.submit(order, side * lots, price, kind)
        if handle >= 0:
            self.handles[order] = handle
        return [Trade(maker, price, lots) for maker, _, price, lots in trades]

    def cancel(self, order: int) -> None:
        self.book.cancel(self.handles.get(order, -1))

    def reduce(self, order: int, lots: int) -> None:
        self.book.reduce(self.handles[order], lots)

    def replace(self, order: int, side: int, lots: int, price: int) -> list[Trade]:
        self.cancel(order)
        return self.submit(order, side, lots, price, LIMIT)

    def lots_of(self, order: int) -> int:
        return abs(self.book.resting_lots(self.handles.get(order, -1)))

    def resting(self) -> list[Resting]:
        """Return bids then offers, best price first, oldest first."""
        sides = ((1, self.book.bids()), (-1, self.book.asks()))
        return [Resting(owner, side, *rest) for side, queue in sides for owner, *rest in queue]


class Bourse:
    """``bourse``: a matching engine in Rust. It tells its queues through its trades only.

    Its queues are maps by price and time, in which two orders of one time are one: every message
    gets a time of its own.
    """

    tells_queues = False
    kinds = (LIMIT, MARKET)

    def __init__(self, n_orders: int) -> None:
        from bourse.core import OrderBook as Book

        self.book: Any = Book(0, True)
        self.theirs: dict[int, int] = {}  # our number -> their id
        self.ours: dict[int, int] = {}
        self.time = 0

    def _tick(self) -> None:
        self.time += 1
        self.book.set_time(self.time)

    def submit(self, order: int, side: int, lots: int, price: int, kind: int) -> None:
        self._tick()
        limit = None if kind == MARKET else price
        id = self.book.place_order(side > 0, lots, 0, price=limit)
        self.theirs[order], self.ours[id] = id, order

    def cancel(self, order: int) -> None:
        self.book.cancel_order(self.theirs[order])

    def reduce(self, order: int, lots: int, left: int) -> None:
        self.book.modify_order(self.theirs[order], new_vol=left)

    def replace(self, order: int, side: int, lots: int, price: int) -> None:
        self._tick()
        self.book.modify_order(self.theirs[order], new_price=price, new_vol=lots)

    def trades(self) -> list[Trade]:
        """Return all trades so far."""
        return [Trade(self.ours[t[5]], t[2], t[3]) for t in self.book.get_trades()]

    def resting(self) -> list[Resting]:
        """Return what rests, in no order."""
        return [
            Resting(self.ours[id], 1 if is_bid else -1, price, left)
            for is_bid, status, _, _, left, _, price, _, id in self.book.get_orders()
            if status == 1
        ]


class Obook:
    """``obook``: a matching engine in Go behind a C interface. It tells its queues."""

    tells_queues = True
    kinds = (LIMIT, MARKET, IOC, POST_ONLY)

    def __init__(self, n_orders: int) -> None:
        import obook

        self.api = obook
        self.book = obook.Book(max_orders=n_orders)
        self.theirs: dict[int, int] = {}
        self.ours: dict[int, int] = {}
        self.total: dict[int, int] = {}  # quantity that an order was sent with, less what was cut
        self.seen: list[Trade] = []

    def submit(self, order: int, side: int, lots: int, price: int, kind: int) -> None:
        api = self.api
        result = self.book.submit(
            order + 1, api.BUY if side > 0 else api.SELL, 0 if kind == MARKET else price, lots,
            type=api.MARKET if kind == MARKET else api.LIMIT,
            tif=api.IOC if kind in (MARKET, IOC) else api.GTC, post_only=kind == POST_ONLY,
        )  # fmt: skip
        self._note(order, result.order_id, lots)

    def cancel(self, order: int) -> None:
        self.book.cancel(self.theirs[order], order + 1)

    def reduce(self, order: int, lots: int, left: int) -> None:
        self.total[order] -= lots
        self.book.reduce(self.theirs[order], self.total[order], order + 1)

    def replace(self, order: int, side: int, lots: int, price: int) -> None:
        api = self.api
        result = self.book.replace(
            self.theirs[order], order + 1, api.BUY if side > 0 else api.SELL, price, lots
        )
        self._note(order, result.order_id, lots)

    def _note(self, order: int, id: int, lots: int) -> None:
        self.theirs[order], self.ours[id], self.total[order] = id, order, lots
        for event in self.book.events():
            if event.kind == self.api.EventKind.TRADE:
                self.seen.append(Trade(self.ours[event.maker_id], event.price, event.qty))

    def trades(self) -> list[Trade]:
        """Return all trades so far."""
        return self.seen

    def resting(self) -> list[Resting]:
        """Return bids then offers, best price first, oldest first."""
        return [
            Resting(self.ours[o.order_id], 1 if o.side == self.api.BUY else -1, o.price,
                    o.qty - o.filled)
            for o in self.book.book()
        ]  # fmt: skip
