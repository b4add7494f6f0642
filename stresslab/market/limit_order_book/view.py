"""What anyone may see of a book, without changing it."""

from __future__ import annotations

from numba import njit

from stresslab.market.limit_order_book.columns import LimitOrderBooks
from stresslab.market.limit_order_book.occupied import next_above, next_below


@njit(cache=True)
def best_bid(books: LimitOrderBooks, asset: int) -> int:
    """Return the highest bid in ticks, -1 if nobody bids."""
    return books.tops[asset].best_bid


@njit(cache=True)
def best_ask(books: LimitOrderBooks, asset: int) -> int:
    """Return the lowest offer in ticks, -1 if nobody offers."""
    return books.tops[asset].best_ask


@njit(cache=True)
def top_quantity(books: LimitOrderBooks, asset: int) -> tuple[int, int]:
    """Return the lots bid at the best bid and offered at the best ask."""
    return (
        level_lots(books, asset, best_bid(books, asset)),
        level_lots(books, asset, best_ask(books, asset)),
    )


@njit(cache=True)
def level_lots(books: LimitOrderBooks, asset: int, price: int) -> int:
    """Return the lots resting at a price, without sign; 0 outside the levels of the book."""
    top = books.tops[asset]
    return books.levels[top.first_level + price].lots if 0 < price < top.n_levels else 0


@njit(cache=True)
def walk(books: LimitOrderBooks, asset: int, lots: int, unit_value: int) -> tuple[int, int]:
    """Return the signed lots that a market order would fill and the cash that it would pay.

    The book stays as it is, and the taker's own orders are not left out. ``lots`` are signed,
    ``unit_value`` is micro-USD of one tick times one lot, negative cash is received.
    """
    top = books.tops[asset]
    side = 1 if lots > 0 else -1
    left = abs(lots)
    ticks_times_lots = 0
    price = top.best_ask if side > 0 else top.best_bid
    while left > 0 and price > 0:
        amount = min(left, books.levels[top.first_level + price].lots)
        ticks_times_lots += price * amount
        left -= amount
        price = next_above(books, top, price) if side > 0 else next_below(books, top, price)
    return lots - left * side, ticks_times_lots * side * unit_value


@njit(cache=True)
def depth(books: LimitOrderBooks, asset: int, lowest: int, highest: int) -> tuple[int, int]:
    """Return the lots bid at ``lowest`` or above and the lots offered at ``highest`` or below."""
    top = books.tops[asset]
    bid_lots, ask_lots = 0, 0
    price = top.best_bid
    while price >= lowest and price > 0:
        bid_lots += books.levels[top.first_level + price].lots
        price = next_below(books, top, price)
    price = top.best_ask
    while 0 < price <= highest:
        ask_lots += books.levels[top.first_level + price].lots
        price = next_above(books, top, price)
    return bid_lots, ask_lots
