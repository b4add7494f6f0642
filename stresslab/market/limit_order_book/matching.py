"""Price-time priority: an order takes what is best and oldest, at the maker's price."""

from __future__ import annotations

from numba import njit

from stresslab.core.columns import LIMIT, MARKET, POST_ONLY, Fills
from stresslab.market.limit_order_book.columns import LimitOrderBooks
from stresslab.market.limit_order_book.queue import remove, rest, shrink

_LARGEST_CASH = 2.0**62


@njit(cache=True)
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
    top = books.tops[asset]
    books.last_order[asset] = -1
    side = 1 if lots > 0 else -1
    wanted = abs(lots)
    if wanted == 0:
        return 0
    rests = kind == LIMIT or kind == POST_ONLY
    if rests and not 0 < price < top.n_levels:
        raise ValueError("the price of an order that may rest lies outside the levels of the book")
    if float(wanted) * float(top.n_levels) * float(unit_value) > _LARGEST_CASH:
        raise OverflowError("an order is so large that its cash may not fit 64 bits")
    limit = price
    if kind == MARKET:
        limit = top.n_levels if side > 0 else 0

    best = top.best_ask if side > 0 else top.best_bid
    filled = 0
    if best > 0 and (limit - best) * side >= 0:
        if kind == POST_ONLY:
            return 0
        filled = _take(books, asset, owner, side, wanted, limit, unit_value, fills)
    if rests and filled < wanted:
        books.last_order[asset] = rest(books, asset, owner, side, wanted - filled, price)
    return filled * side


@njit(cache=True)
def _take(
    books: LimitOrderBooks,
    asset: int,
    owner: int,
    side: int,
    wanted: int,
    limit: int,
    unit_value: int,
    fills: Fills,
) -> int:
    """Fill up to ``wanted`` lots against the other side, best price first; return lots filled."""
    top = books.tops[asset]
    left = wanted
    while left > 0:
        best = top.best_ask if side > 0 else top.best_bid
        if best < 0 or (limit - best) * side < 0:
            break
        slot = books.levels[top.first_level + best].first
        order = books.orders[slot]
        if order.owner == owner and owner >= 0:
            remove(books, asset, slot)
            continue
        resting = abs(order.lots)
        amount = min(left, resting)
        _record(fills, asset, owner, order.owner, amount * side, best, unit_value)
        left -= amount
        if amount == resting:
            remove(books, asset, slot)
        else:
            shrink(books, asset, slot, amount)
    return wanted - left


@njit(cache=True)
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
