"""Price-time priority: an order takes what is best and oldest, at the maker's price."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY, Fills
from stresslab.core.compiled import kernel, merged
from stresslab.market.limit_order_book.columns import (
    BEST_ASK,
    BEST_BID,
    BOOK_SIZE,
    FIRST,
    LAST_ORDER,
    LOTS,
    N_LEVELS,
    OWNER,
    LimitOrderBooks,
)
from stresslab.market.limit_order_book.queue import level_of, remove, rest, shrink

_LARGEST_CASH = 2.0**62


@merged
def submit(
    books: LimitOrderBooks,
    asset: int,
    owner: int,
    kind: int,
    lots: int,
    price: int,
    unit_value: int,
    fills: Fills,
) -> int:
    """Send an order to the book and return the signed lots that it filled.

    LIMIT takes up to its price and rests the remainder; the remainder of MARKET and IOC vanishes;
    POST_ONLY is refused when it would take (it returns 0 and nothing rests). A trader who meets his
    own resting order withdraws that order and goes on. ``books.last_order[asset]`` is afterwards
    the handle of what rests, -1 if nothing does.

    Parameters
    ----------
    owner : row of the account, -1 for `external`
    lots : signed, positive buys
    price : limit in ticks, ignored by MARKET
    unit_value : micro-USD of one tick times one lot
    fills : the fills are appended, each at the price of the resting order

    Raises
    ------
    ValueError
        If an order would have to rest outside the levels of the book.
    OverflowError
        If the book, the fills or 64-bit money cannot hold the order.
    """
    memory = books.memory
    book = asset * BOOK_SIZE
    limit = _limit(memory, book, kind, lots, price, unit_value)
    last_order = memory[book + LAST_ORDER]
    memory[last_order] = -1
    left = lots
    if _meets(memory, book, lots, limit):
        if kind == POST_ONLY:
            return 0
        left -= _take(memory, asset, owner, lots, limit, unit_value, fills)
    if left != 0 and kind in (LIMIT, POST_ONLY):
        memory[last_order] = rest(memory, book, owner, left, price)
    return lots - left


@merged
def is_quotable(books: LimitOrderBooks, asset: int, kind: int, price: int) -> bool:
    """Tell whether a price is on the levels of the book, as it must be where it may rest."""
    if kind in (MARKET, IOC):
        return True
    return 0 < price < books.memory[asset * BOOK_SIZE + N_LEVELS]


@kernel
def _limit(memory: np.ndarray, book: int, kind: int, lots: int, price: int, unit_value: int) -> int:
    """Return the worst price that an order accepts, once it is known to be a possible order."""
    n_levels = memory[book + N_LEVELS]
    if abs(float(lots)) * float(n_levels) * float(unit_value) > _LARGEST_CASH:
        raise OverflowError("an order is so large that its cash may not fit 64 bits")
    if kind == MARKET:
        return n_levels if lots > 0 else 0
    if kind != IOC and not 0 < price < n_levels:
        raise ValueError("the price of an order that may rest lies outside the levels of the book")
    return price


@kernel
def _meets(memory: np.ndarray, book: int, lots: int, limit: int) -> bool:
    """Tell whether an order of signed ``lots`` meets the other side at its limit or better."""
    if lots > 0:
        return 0 < memory[book + BEST_ASK] <= limit
    return memory[book + BEST_BID] >= max(limit, 1)


@kernel
def _take(
    memory: np.ndarray,
    asset: int,
    owner: int,
    lots: int,
    limit: int,
    unit_value: int,
    fills: Fills,
) -> int:
    """Fill up to signed ``lots`` against the other side, best price first; return lots filled."""
    book = asset * BOOK_SIZE
    left = lots
    while left != 0 and _meets(memory, book, left, limit):
        best = memory[book + BEST_ASK] if left > 0 else memory[book + BEST_BID]
        order = memory[level_of(memory, book, best) + FIRST]
        maker = memory[order + OWNER]
        if maker == owner and owner >= 0:
            remove(memory, book, order)
            continue
        offered = -memory[order + LOTS]
        amount = offered if abs(offered) <= abs(left) else left
        _record(fills, asset, owner, maker, amount, best, unit_value)
        left -= amount
        if amount == offered:
            remove(memory, book, order)
        else:
            shrink(memory, book, order, abs(amount))
    return lots - left


@kernel
def _record(
    fills: Fills, asset: int, taker: int, maker: int, lots: int, price: int, unit_value: int
) -> None:
    """Append one fill."""
    place = fills.n[0]
    if place == fills.lots.size:
        raise OverflowError("the fills of one stage exceed the room made for them")
    fills.asset[place] = asset
    fills.taker[place] = taker
    fills.maker[place] = maker
    fills.lots[place] = lots
    fills.cash[place] = price * lots * unit_value
    fills.n[0] = place + 1
