"""Resting orders withdrawn or lowered by their owner."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.market.limit_order_book.columns import (
    BOOK_SIZE,
    LOTS,
    OWN_FIRST,
    OWN_NEXT,
    LimitOrderBooks,
)
from stresslab.market.limit_order_book.queue import order_of, remove, shrink


@kernel
def cancel(books: LimitOrderBooks, asset: int, order: int) -> int:
    """Withdraw the order with this handle; return its signed lots, 0 if it rests no more."""
    memory = books.memory
    place = order_of(memory, order)
    if place == 0:
        return 0
    lots = memory[place + LOTS]
    remove(memory, asset * BOOK_SIZE, place)
    return lots


@kernel
def reduce(books: LimitOrderBooks, asset: int, order: int, lots: int) -> int:
    """Lower an order by ``lots`` (no sign); it keeps its place in the queue.

    Return the signed lots withdrawn, 0 if the order rests no more. An order lowered by all it has,
    or more, is withdrawn.
    """
    memory = books.memory
    place = order_of(memory, order)
    if place == 0 or lots <= 0:
        return 0
    resting = memory[place + LOTS]
    if lots >= abs(resting):
        remove(memory, asset * BOOK_SIZE, place)
        return resting
    shrink(memory, asset * BOOK_SIZE, place, lots)
    return lots if resting > 0 else -lots


@kernel
def cancel_all(books: LimitOrderBooks, asset: int, owner: int, side: int) -> int:
    """Withdraw an account's bids (side 1), asks (-1) or both (0); return the number of orders."""
    memory = books.memory
    book = asset * BOOK_SIZE
    cancelled = 0
    order = memory[memory[book + OWN_FIRST] + owner]
    while order != 0:
        older = memory[order + OWN_NEXT]
        if side == 0 or (memory[order + LOTS] > 0) == (side > 0):
            remove(memory, book, order)
            cancelled += 1
        order = older
    return cancelled


@kernel
def resting_lots(books: LimitOrderBooks, order: int) -> int:
    """Return the signed lots that the order with this handle still has to fill, 0 if it is gone."""
    place = order_of(books.memory, order)
    return books.memory[place + LOTS] if place != 0 else 0
