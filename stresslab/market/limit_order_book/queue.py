"""Orders join, leave and shrink: every list and sum that knows a resting order, in one place."""

from __future__ import annotations

from typing import Any

from numba import njit

from stresslab.market.limit_order_book.columns import LimitOrderBooks
from stresslab.market.limit_order_book.occupied import next_above, next_below, occupy, vacate

_SLOT_BITS = 32
_SLOT = (1 << _SLOT_BITS) - 1


@njit(cache=True)
def rest(books: LimitOrderBooks, asset: int, owner: int, side: int, lots: int, price: int) -> int:
    """Let ``lots`` (no sign) rest at the end of the queue of their price; return the handle."""
    top = books.tops[asset]
    slot = top.free
    if slot < 0:
        raise OverflowError("the book is full: more orders rest than its capacity allows")
    order = books.orders[slot]
    top.free = order.next
    order.lots = lots * side
    order.price = price
    order.owner = owner
    _join_level(books, top, slot, side, price, lots)
    if owner >= 0:
        _join_own(books, asset, owner, slot)
        _add_resting(books, asset, owner, side, lots)
    return slot | (books.generation[slot] << _SLOT_BITS)


@njit(cache=True)
def remove(books: LimitOrderBooks, asset: int, slot: int) -> None:
    """Take an order out of the book, whatever it still had to fill, and free its slot."""
    top = books.tops[asset]
    order = books.orders[slot]
    side = 1 if order.lots > 0 else -1
    lots = abs(order.lots)
    if order.owner >= 0:
        _leave_own(books, asset, order)
        _add_resting(books, asset, order.owner, side, -lots)
    _leave_level(books, top, order, side, lots)
    order.next = top.free
    order.lots = 0
    top.free = slot
    books.generation[slot] += 1


@njit(cache=True)
def shrink(books: LimitOrderBooks, asset: int, slot: int, amount: int) -> None:
    """Lower an order by ``amount`` lots, fewer than it has; it keeps its place in the queue."""
    order = books.orders[slot]
    side = 1 if order.lots > 0 else -1
    order.lots -= amount * side
    books.levels[books.tops[asset].first_level + order.price].lots -= amount
    if order.owner >= 0:
        _add_resting(books, asset, order.owner, side, -amount)


@njit(cache=True)
def slot_of(books: LimitOrderBooks, handle: int) -> int:
    """Return the slot of an order that still rests, -1 if the handle is stale or none at all."""
    if handle < 0:
        return -1
    slot = handle & _SLOT
    if slot >= books.orders.size or books.generation[slot] != handle >> _SLOT_BITS:
        return -1
    return slot if books.orders[slot].lots != 0 else -1


@njit(cache=True)
def _join_level(
    books: LimitOrderBooks, top: Any, slot: int, side: int, price: int, lots: int
) -> None:
    level = books.levels[top.first_level + price]
    order = books.orders[slot]
    order.next = -1
    order.previous = level.last
    level.lots += lots
    if level.last >= 0:
        books.orders[level.last].next = slot
        level.last = slot
        return
    level.first = slot
    level.last = slot
    occupy(books, top, price)
    if side > 0:
        top.best_bid = max(top.best_bid, price)
    elif top.best_ask < 0 or price < top.best_ask:
        top.best_ask = price


@njit(cache=True)
def _leave_level(books: LimitOrderBooks, top: Any, order: Any, side: int, lots: int) -> None:
    price = order.price
    level = books.levels[top.first_level + price]
    level.lots -= lots
    if order.previous >= 0:
        books.orders[order.previous].next = order.next
    else:
        level.first = order.next
    if order.next >= 0:
        books.orders[order.next].previous = order.previous
    else:
        level.last = order.previous
    if level.first >= 0:
        return
    vacate(books, top, price)
    if side > 0 and price == top.best_bid:
        top.best_bid = next_below(books, top, price)
    elif side < 0 and price == top.best_ask:
        top.best_ask = next_above(books, top, price)


@njit(cache=True)
def _join_own(books: LimitOrderBooks, asset: int, owner: int, slot: int) -> None:
    order = books.orders[slot]
    newest = books.own_first[asset, owner]
    order.own_next = newest
    order.own_previous = -1
    if newest >= 0:
        books.orders[newest].own_previous = slot
    books.own_first[asset, owner] = slot


@njit(cache=True)
def _leave_own(books: LimitOrderBooks, asset: int, order: Any) -> None:
    if order.own_previous >= 0:
        books.orders[order.own_previous].own_next = order.own_next
    else:
        books.own_first[asset, order.owner] = order.own_next
    if order.own_next >= 0:
        books.orders[order.own_next].own_previous = order.own_previous


@njit(cache=True)
def _add_resting(books: LimitOrderBooks, asset: int, owner: int, side: int, lots: int) -> None:
    if side > 0:
        books.resting_buy[asset, owner] += lots
    else:
        books.resting_sell[asset, owner] += lots
