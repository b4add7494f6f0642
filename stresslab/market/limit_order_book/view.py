"""What anyone may see of a book, without changing it."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import multiply
from stresslab.market.limit_order_book.columns import (
    BEST_ASK,
    BEST_BID,
    BOOK_SIZE,
    LEVEL_LOTS,
    N_LEVELS,
    LimitOrderBooks,
)
from stresslab.market.limit_order_book.occupied import next_above, next_below
from stresslab.market.limit_order_book.queue import level_of


@kernel
def best_bid(books: LimitOrderBooks, asset: int) -> int:
    """Return the highest bid in ticks, -1 if nobody bids."""
    return books.memory[asset * BOOK_SIZE + BEST_BID]


@kernel
def best_ask(books: LimitOrderBooks, asset: int) -> int:
    """Return the lowest offer in ticks, -1 if nobody offers."""
    return books.memory[asset * BOOK_SIZE + BEST_ASK]


@kernel
def top_quantity(books: LimitOrderBooks, asset: int) -> tuple[int, int]:
    """Return the lots bid at the best bid and offered at the best ask."""
    return (
        level_lots(books, asset, best_bid(books, asset)),
        level_lots(books, asset, best_ask(books, asset)),
    )


@kernel
def level_lots(books: LimitOrderBooks, asset: int, price: int) -> int:
    """Return the lots resting at a price, without sign; 0 outside the levels of the book."""
    memory = books.memory
    book = asset * BOOK_SIZE
    if not 0 < price < memory[book + N_LEVELS]:
        return 0
    return memory[level_of(memory, book, price) + LEVEL_LOTS]


@kernel
def walk(books: LimitOrderBooks, asset: int, lots: int, unit_value: int) -> tuple[int, int]:
    """Return the signed lots that a market order would fill and the cash that it would pay.

    The book stays as it is, and the taker's own orders are not left out. ``lots`` are signed,
    ``unit_value`` is micro-USD of one tick times one lot, negative cash is received.
    """
    memory = books.memory
    book = asset * BOOK_SIZE
    side = 1 if lots > 0 else -1
    left = abs(lots)
    cost = 0
    price = memory[book + BEST_ASK] if side > 0 else memory[book + BEST_BID]
    while left > 0 and price > 0:
        amount = min(left, memory[level_of(memory, book, price) + LEVEL_LOTS])
        cost += multiply(price * unit_value, amount)
        left -= amount
        price = next_above(memory, book, price) if side > 0 else next_below(memory, book, price)
    return lots - left * side, cost * side


@kernel
def depth(books: LimitOrderBooks, asset: int, lowest: int, highest: int) -> tuple[int, int]:
    """Return the lots bid at ``lowest`` or above and the lots offered at ``highest`` or below."""
    memory = books.memory
    book = asset * BOOK_SIZE
    bid_lots = 0
    price = memory[book + BEST_BID]
    while price >= max(lowest, 1):
        bid_lots += memory[level_of(memory, book, price) + LEVEL_LOTS]
        price = next_below(memory, book, price)
    ask_lots = 0
    price = memory[book + BEST_ASK]
    while 0 < price <= highest:
        ask_lots += memory[level_of(memory, book, price) + LEVEL_LOTS]
        price = next_above(memory, book, price)
    return bid_lots, ask_lots


@kernel
def levels_worth(books, asset, side, notional, prices, lots):
    """Write the levels of a side (1: offers, -1: bids), best first; return how many.

    It ends with the level at which they reach a notional in ticks times lots, with the side, or
    with the room in ``prices`` and ``lots``.
    """
    memory = books.memory
    book = asset * BOOK_SIZE
    price = memory[book + BEST_ASK] if side > 0 else memory[book + BEST_BID]
    worth, found = 0.0, 0
    while price > 0 and worth < notional and found < prices.size:
        prices[found] = price
        lots[found] = memory[level_of(memory, book, price) + LEVEL_LOTS]
        worth += float(prices[found]) * lots[found]
        found += 1
        price = next_above(memory, book, price) if side > 0 else next_below(memory, book, price)
    return found
