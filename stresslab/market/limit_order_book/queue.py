"""Orders join, leave and shrink: every list and sum that knows a resting order, in one place.

``memory`` and the addresses ``book``, ``level`` and ``order`` are those of ``columns.py``.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.market.limit_order_book.columns import (
    BEST_ASK,
    BEST_BID,
    END,
    FIRST,
    FREE,
    FRESH,
    GENERATION,
    LAST,
    LEVEL_LOTS,
    LEVEL_SIZE,
    LEVELS,
    LOTS,
    NEXT,
    ORDER_SIZE,
    OWN_FIRST,
    OWN_NEXT,
    OWN_PREVIOUS,
    OWNER,
    PREVIOUS,
    PRICE,
    RESTING_BUY,
    RESTING_SELL,
)
from stresslab.market.limit_order_book.occupied import next_above, next_below, occupy, vacate

_ADDRESS_BITS = 32
_ADDRESS = (1 << _ADDRESS_BITS) - 1


@kernel
def rest(memory: np.ndarray, book: int, owner: int, lots: int, price: int) -> int:
    """Let signed ``lots`` rest at the end of the queue of their price; return the handle."""
    order = _allocate(memory, book)
    memory[order + LOTS] = lots
    memory[order + PRICE] = price
    memory[order + OWNER] = owner
    _join_level(memory, book, order, lots, price)
    if owner >= 0:
        _join_own(memory, book, owner, order)
        _add_resting(memory, book, owner, lots, abs(lots))
    return order | (memory[order + GENERATION] << _ADDRESS_BITS)


@kernel
def remove(memory: np.ndarray, book: int, order: int) -> None:
    """Take an order out of the book, whatever it still had to fill, and free its place."""
    owner, lots = memory[order + OWNER], memory[order + LOTS]
    if owner >= 0:
        _leave_own(memory, book, owner, order)
        _add_resting(memory, book, owner, lots, -abs(lots))
    _leave_level(memory, book, order, lots)
    memory[order + LOTS] = 0
    memory[order + GENERATION] += 1
    memory[order + NEXT] = memory[book + FREE]
    memory[book + FREE] = order


@kernel
def shrink(memory: np.ndarray, book: int, order: int, amount: int) -> None:
    """Lower an order by ``amount`` lots, fewer than it has; it keeps its place in the queue."""
    lots = memory[order + LOTS]
    memory[order + LOTS] = lots - amount if lots > 0 else lots + amount
    memory[level_of(memory, book, memory[order + PRICE]) + LEVEL_LOTS] -= amount
    owner = memory[order + OWNER]
    if owner >= 0:
        _add_resting(memory, book, owner, lots, -amount)


@kernel
def level_of(memory: np.ndarray, book: int, price: int) -> int:
    """Return the address of a price level."""
    return memory[book + LEVELS] + price * LEVEL_SIZE


@kernel
def order_of(memory: np.ndarray, handle: int) -> int:
    """Return the address of an order that still rests, 0 if the handle is stale or none."""
    order = handle & _ADDRESS
    if handle < 0 or memory[order + GENERATION] != handle >> _ADDRESS_BITS:
        return 0
    return order


@kernel
def _allocate(memory: np.ndarray, book: int) -> int:
    order = memory[book + FREE]
    if order != 0:
        memory[book + FREE] = memory[order + NEXT]
        return order
    order = memory[book + FRESH]
    if order == memory[book + END]:
        raise OverflowError("the book is full: more orders rest than its capacity allows")
    memory[book + FRESH] = order + ORDER_SIZE
    return order


@kernel
def _join_level(memory: np.ndarray, book: int, order: int, lots: int, price: int) -> None:
    level = level_of(memory, book, price)
    newest = memory[level + LAST]
    memory[order + NEXT] = 0
    memory[order + PREVIOUS] = newest
    memory[level + LAST] = order
    memory[level + LEVEL_LOTS] += abs(lots)
    if newest != 0:
        memory[newest + NEXT] = order
        return
    memory[level + FIRST] = order
    occupy(memory, book, price)
    if lots > 0:
        memory[book + BEST_BID] = max(memory[book + BEST_BID], price)
    elif memory[book + BEST_ASK] < 0 or price < memory[book + BEST_ASK]:
        memory[book + BEST_ASK] = price


@kernel
def _leave_level(memory: np.ndarray, book: int, order: int, lots: int) -> None:
    price, older, newer = memory[order + PRICE], memory[order + PREVIOUS], memory[order + NEXT]
    level = level_of(memory, book, price)
    memory[level + LEVEL_LOTS] -= abs(lots)
    if older != 0:
        memory[older + NEXT] = newer
    else:
        memory[level + FIRST] = newer
    if newer != 0:
        memory[newer + PREVIOUS] = older
    else:
        memory[level + LAST] = older
    if older == 0 and newer == 0:
        _leave_best(memory, book, price)


@kernel
def _leave_best(memory: np.ndarray, book: int, price: int) -> None:
    """A level has become empty: mark it so, and look for the next if it was the best."""
    vacate(memory, book, price)
    if price == memory[book + BEST_BID]:
        memory[book + BEST_BID] = next_below(memory, book, price)
    elif price == memory[book + BEST_ASK]:
        memory[book + BEST_ASK] = next_above(memory, book, price)


@kernel
def _join_own(memory: np.ndarray, book: int, owner: int, order: int) -> None:
    head = memory[book + OWN_FIRST] + owner
    newest = memory[head]
    memory[order + OWN_NEXT] = newest
    memory[order + OWN_PREVIOUS] = 0
    if newest != 0:
        memory[newest + OWN_PREVIOUS] = order
    memory[head] = order


@kernel
def _leave_own(memory: np.ndarray, book: int, owner: int, order: int) -> None:
    newer, older = memory[order + OWN_PREVIOUS], memory[order + OWN_NEXT]
    if newer != 0:
        memory[newer + OWN_NEXT] = older
    else:
        memory[memory[book + OWN_FIRST] + owner] = older
    if older != 0:
        memory[older + OWN_PREVIOUS] = newer


@kernel
def _add_resting(memory: np.ndarray, book: int, owner: int, side: int, lots: int) -> None:
    """Add ``lots`` to what an owner has resting on the side of the sign of ``side``."""
    start = memory[book + (RESTING_BUY if side > 0 else RESTING_SELL)]
    memory[start + owner] += lots
