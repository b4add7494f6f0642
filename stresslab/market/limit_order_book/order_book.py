"""The limit order book of one asset, for trying it out in plain Python."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.columns import LIMIT, make_fills
from stresslab.market.limit_order_book import view, withdrawal
from stresslab.market.limit_order_book.columns import (
    BEST_ASK,
    BEST_BID,
    FIRST,
    LOTS,
    NEXT,
    OWNER,
    LimitOrderBooks,
    make_limit_order_books,
)
from stresslab.market.limit_order_book.matching import submit
from stresslab.market.limit_order_book.occupied import next_above, next_below
from stresslab.market.limit_order_book.queue import level_of

_LARGEST_FILLS = 4096


class OrderBook:
    """One limit order book; orders are known by the handle that ``submit`` returned.

    >>> book = OrderBook(highest_price=100, n_owners=3)
    >>> handle, trades = book.submit(owner=0, lots=5, price=40)
    >>> book.submit(owner=1, lots=-2, price=39)
    (-1, [(0, 1, 40, 2)])
    >>> book.bids(), book.asks()
    ([(0, 40, 3)], [])
    """

    def __init__(self, highest_price: int, n_owners: int, capacity: int = 4096) -> None:
        self.books: LimitOrderBooks = make_limit_order_books(
            [highest_price + 1], n_owners, capacity
        )
        self._fills = make_fills(_LARGEST_FILLS)

    def submit(
        self, owner: int, lots: int, price: int = 0, kind: int = LIMIT
    ) -> tuple[int, list[tuple[int, int, int, int]]]:
        """Send an order; return its handle (-1 if nothing rests) and its trades.

        A trade is (maker, taker, price in ticks, lots without sign).
        """
        fills = self._fills
        fills.n[0] = 0
        submit(self.books, 0, owner, kind, lots, price, 1, fills)
        trades = [
            (int(maker), owner, int(cash // filled), abs(int(filled)))
            for maker, filled, cash in zip(
                fills.maker[: fills.n[0]],
                fills.lots[: fills.n[0]],
                fills.cash[: fills.n[0]],
                strict=True,
            )
        ]
        return int(self.books.last_order[0]), trades

    def cancel(self, order: int) -> int:
        """Withdraw an order; return its signed lots, 0 if it rests no more."""
        return int(withdrawal.cancel(self.books, 0, order))

    def reduce(self, order: int, lots: int) -> int:
        """Lower an order by ``lots``, keeping its place; return the signed lots withdrawn."""
        return int(withdrawal.reduce(self.books, 0, order, lots))

    def cancel_all(self, owner: int, side: int = 0) -> int:
        """Withdraw an owner's bids (side 1), asks (-1) or both (0); return how many."""
        return int(withdrawal.cancel_all(self.books, 0, owner, side))

    def resting_lots(self, order: int) -> int:
        """Return the signed lots that an order still has to fill, 0 if it is gone."""
        return int(withdrawal.resting_lots(self.books, order))

    def depth(self, lowest: int, highest: int) -> tuple[int, int]:
        """Return the lots bid at ``lowest`` or above and offered at ``highest`` or below."""
        bid_lots, ask_lots = view.depth(self.books, 0, lowest, highest)
        return int(bid_lots), int(ask_lots)

    def bids(self) -> list[tuple[int, int, int]]:
        """Return (owner, price, lots) of every bid, best price first, oldest first."""
        return list(self._side(BEST_BID))

    def asks(self) -> list[tuple[int, int, int]]:
        """Return (owner, price, lots) of every offer, best price first, oldest first."""
        return list(self._side(BEST_ASK))

    def _side(self, best: int) -> Iterator[tuple[int, int, int]]:
        memory = self.books.memory
        following = next_below if best == BEST_BID else next_above
        price = int(memory[best])
        while price > 0:
            order = memory[level_of(memory, 0, price) + FIRST]
            while order != 0:
                yield int(memory[order + OWNER]), price, abs(int(memory[order + LOTS]))
                order = memory[order + NEXT]
            price = int(following(memory, 0, price))
