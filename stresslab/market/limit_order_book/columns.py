"""The memory of all limit order books of a run: books, price levels, orders and owners.

Everything stands in one int64 array, and a place in it is an *address*, 0 being none. One array is
what makes a book fast: numba counts references to every array that a kernel takes out of a tuple,
which would cost more than matching the order. Untouched levels cost no memory, since the operating
system hands out zeroed pages only when they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.core.errors import StresslabError

#: Words of a book, which begins at ``asset * BOOK_SIZE``. Best prices are in ticks, -1 if none; the
#: rest are addresses (of free orders, and of where its other parts begin) and counts.
(
    BEST_BID,
    BEST_ASK,
    FREE,  # first order on the free list
    FRESH,  # first order never used yet
    END,  # end of the orders
    N_LEVELS,
    N_SUMMARIES,
    LEVELS,
    WORDS,  # one bit a level: is it occupied?
    SUMMARIES,  # one bit a word: has it a bit?
    OWN_FIRST,
    RESTING_BUY,
    RESTING_SELL,
    LAST_ORDER,
) = range(14)
BOOK_SIZE = 16

#: Words of a price level: its oldest order, its newest order, the lots in it (no sign).
FIRST, LAST, LEVEL_LOTS = range(3)
LEVEL_SIZE = 3

#: Words of an order, one cache line: neighbours in the queue of its price, neighbours among the
#: orders of its owner, signed lots left (0 when the place is free), price, owner, and how often the
#: place was released.
NEXT, PREVIOUS, OWN_NEXT, OWN_PREVIOUS, LOTS, PRICE, OWNER, GENERATION = range(8)
ORDER_SIZE = 8

_BITS = 64
_LARGEST_ADDRESS = 2**32


class LimitOrderBooks(NamedTuple):
    """The limit order books of all assets; a kernel takes the tuple whole.

    The other columns are views of ``memory``, for whoever reads them.
    """

    memory: np.ndarray  # int64
    resting_buy: np.ndarray  # (A, N) lots bid by an account
    resting_sell: np.ndarray  # (A, N) lots offered by an account, no sign
    last_order: np.ndarray  # (A,) handle of what the last submit left resting, -1 if nothing


def make_limit_order_books(
    n_levels: Sequence[int], n_accounts: int, capacity_per_asset: int
) -> LimitOrderBooks:
    """Return empty books.

    Parameters
    ----------
    n_levels : for each asset, one more than the highest price in ticks at which an order may rest
    n_accounts : owners are rows ``0 .. n_accounts - 1``; -1 is `external`, whose orders never meet
    capacity_per_asset : resting orders that one book can hold
    """
    n_assets = len(n_levels)
    plan = _Plan(n_assets * BOOK_SIZE)
    last_order = plan.reserve(n_assets)
    own_first, resting_buy, resting_sell = (plan.reserve(n_assets * n_accounts) for _ in range(3))
    books = np.zeros((n_assets, BOOK_SIZE), np.int64)
    for asset, levels in enumerate(n_levels):
        words = -(-int(levels) // _BITS)
        summaries = -(-words // _BITS)
        book = books[asset]
        book[BEST_BID] = book[BEST_ASK] = -1
        book[FRESH] = plan.reserve(capacity_per_asset * ORDER_SIZE)
        book[END] = plan.end
        book[N_LEVELS], book[N_SUMMARIES] = levels, summaries
        book[LEVELS] = plan.reserve(int(levels) * LEVEL_SIZE)
        book[WORDS], book[SUMMARIES] = plan.reserve(words), plan.reserve(summaries)
        book[OWN_FIRST] = own_first + asset * n_accounts
        book[RESTING_BUY] = resting_buy + asset * n_accounts
        book[RESTING_SELL] = resting_sell + asset * n_accounts
        book[LAST_ORDER] = last_order + asset
    memory = plan.memory()
    memory[: books.size] = books.ravel()
    memory[last_order : last_order + n_assets] = -1
    return LimitOrderBooks(
        memory=memory,
        resting_buy=_table(memory, resting_buy, n_assets, n_accounts),
        resting_sell=_table(memory, resting_sell, n_assets, n_accounts),
        last_order=memory[last_order : last_order + n_assets],
    )


class _Plan:
    """Lays parts one after the other, each at the start of a cache line of eight words."""

    def __init__(self, reserved: int) -> None:
        self.end = reserved

    def reserve(self, words: int) -> int:
        start = self.end
        self.end += -(-words // ORDER_SIZE) * ORDER_SIZE
        return start

    def memory(self) -> np.ndarray:
        if self.end >= _LARGEST_ADDRESS:
            raise StresslabError(
                f"limit order books: {self.end} words of memory are needed, fewer than "
                f"{_LARGEST_ADDRESS} allowed; use fewer levels or a smaller capacity"
            )
        room = np.zeros(self.end + ORDER_SIZE, np.int64)
        skipped = -(room.ctypes.data // room.itemsize) % ORDER_SIZE
        return room[skipped : skipped + self.end]


def _table(memory: np.ndarray, start: int, n_assets: int, n_accounts: int) -> np.ndarray:
    return memory[start : start + n_assets * n_accounts].reshape(n_assets, n_accounts)
