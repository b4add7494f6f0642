"""Resting orders withdrawn or lowered by their owner."""

from __future__ import annotations

from numba import njit

from stresslab.market.limit_order_book.columns import LimitOrderBooks
from stresslab.market.limit_order_book.queue import remove, shrink, slot_of


@njit(cache=True)
def cancel(books: LimitOrderBooks, asset: int, order: int) -> int:
    """Withdraw the order with this handle; return the lots withdrawn, 0 if it rests no more."""
    slot = slot_of(books, order)
    if slot < 0:
        return 0
    lots = abs(books.orders[slot].lots)
    remove(books, asset, slot)
    return lots


@njit(cache=True)
def reduce(books: LimitOrderBooks, asset: int, order: int, lots: int) -> int:
    """Lower an order by ``lots``; it keeps its place. Return the lots withdrawn, 0 if it is gone.

    An order lowered by all it has, or more, is withdrawn.
    """
    slot = slot_of(books, order)
    if slot < 0 or lots <= 0:
        return 0
    if lots >= abs(books.orders[slot].lots):
        return cancel(books, asset, order)
    shrink(books, asset, slot, lots)
    return lots


@njit(cache=True)
def cancel_all(books: LimitOrderBooks, asset: int, owner: int, side: int) -> int:
    """Withdraw an account's bids (side 1), asks (-1) or both (0); return the number of orders."""
    cancelled = 0
    slot = books.own_first[asset, owner]
    while slot >= 0:
        order = books.orders[slot]
        following = order.own_next
        if order.lots * side >= 0:
            remove(books, asset, slot)
            cancelled += 1
        slot = following
    return cancelled


@njit(cache=True)
def resting_lots(books: LimitOrderBooks, order: int) -> int:
    """Return the signed lots that the order with this handle still has to fill, 0 if it is gone."""
    slot = slot_of(books, order)
    return books.orders[slot].lots if slot >= 0 else 0
