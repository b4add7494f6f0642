"""The columns of all limit order books of a run: orders in slots, price levels, occupied bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: A resting order, half a cache line. ``next`` and ``previous`` link the queue of its price level
#: (``next`` links the free slots too), ``own_*`` link the orders of one owner; -1 ends a list.
ORDER = np.dtype(
    [
        ("next", np.int32),
        ("previous", np.int32),
        ("own_next", np.int32),
        ("own_previous", np.int32),
        ("lots", np.int64),  # signed: positive bids
        ("price", np.int32),
        ("owner", np.int32),
    ]
)

#: A price level: the oldest and the newest order of its queue, and the lots in it (no sign).
LEVEL = np.dtype([("first", np.int32), ("last", np.int32), ("lots", np.int64)])

#: What is known of the book of one asset, one cache line.
TOP = np.dtype(
    [
        ("best_bid", np.int64),  # ticks, -1 if there is none
        ("best_ask", np.int64),
        ("n_levels", np.int64),
        ("first_level", np.int64),  # where its levels, words and summary words begin
        ("first_word", np.int64),
        ("first_summary", np.int64),
        ("n_summaries", np.int64),
        ("free", np.int64),  # first free slot, -1 if none
    ]
)

_BITS = 64


class LimitOrderBooks(NamedTuple):
    """The limit order books of all assets; a kernel takes the tuple whole.

    A slot is a place in ``orders``; each asset owns ``capacity_per_asset`` of them. Bit p of an
    asset's ``words`` says that price level p is occupied; bit w of its ``summaries`` says that
    word w has a bit. Bids and asks share both: every level up to the best bid is a bid.
    """

    tops: np.ndarray  # (A,) of TOP
    levels: np.ndarray  # (sum of n_levels,) of LEVEL
    words: np.ndarray  # int64, 64 levels each
    summaries: np.ndarray  # int64, 64 words each
    orders: np.ndarray  # (A * capacity,) of ORDER
    generation: np.ndarray  # (A * capacity,) how often the slot was released
    own_first: np.ndarray  # (A, N) newest resting order of an account, -1 if none
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
    sizes = np.array([int(size) for size in n_levels], np.int64)
    words = -(-sizes // _BITS)
    summaries = -(-words // _BITS)
    tops = np.zeros(sizes.size, TOP)
    tops["best_bid"] = tops["best_ask"] = -1
    tops["n_levels"], tops["n_summaries"] = sizes, summaries
    tops["first_level"] = _starts(sizes)
    tops["first_word"] = _starts(words)
    tops["first_summary"] = _starts(summaries)
    tops["free"] = np.arange(sizes.size) * capacity_per_asset

    levels = np.zeros(sizes.sum(), LEVEL)
    levels["first"] = levels["last"] = -1
    shape = (sizes.size, n_accounts)
    return LimitOrderBooks(
        tops=tops,
        levels=levels,
        words=np.zeros(words.sum(), np.int64),
        summaries=np.zeros(summaries.sum(), np.int64),
        orders=_free_slots(sizes.size, capacity_per_asset),
        generation=np.zeros(sizes.size * capacity_per_asset, np.int64),
        own_first=np.full(shape, -1, np.int32),
        resting_buy=np.zeros(shape, np.int64),
        resting_sell=np.zeros(shape, np.int64),
        last_order=np.full(sizes.size, -1, np.int64),
    )


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.cumsum(sizes) - sizes


def _free_slots(n_assets: int, capacity: int) -> np.ndarray:
    """Return the slots of all assets, each asset's chained into one free list."""
    orders = np.zeros(n_assets * capacity, ORDER)
    orders["next"] = np.arange(1, orders.size + 1)
    orders["next"][capacity - 1 :: capacity] = -1
    return orders
