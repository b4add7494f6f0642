"""Which price levels are occupied: two floors of 64-bit words, so a gap costs a few operations."""

from __future__ import annotations

from typing import Any

from numba import njit

from stresslab.core.wide import highest_bit, lowest_bit
from stresslab.market.limit_order_book.columns import LimitOrderBooks


@njit(cache=True)
def occupy(books: LimitOrderBooks, top: Any, price: int) -> None:
    """Mark a price level as occupied."""
    word = price >> 6
    books.words[top.first_word + word] |= 1 << (price & 63)
    books.summaries[top.first_summary + (word >> 6)] |= 1 << (word & 63)


@njit(cache=True)
def vacate(books: LimitOrderBooks, top: Any, price: int) -> None:
    """Mark a price level as empty."""
    word = price >> 6
    books.words[top.first_word + word] &= ~(1 << (price & 63))
    if books.words[top.first_word + word] == 0:
        books.summaries[top.first_summary + (word >> 6)] &= ~(1 << (word & 63))


@njit(cache=True)
def next_below(books: LimitOrderBooks, top: Any, price: int) -> int:
    """Return the highest occupied price below ``price``, or -1."""
    word = price >> 6
    bits = books.words[top.first_word + word] & ((1 << (price & 63)) - 1)
    if bits != 0:
        return (word << 6) + highest_bit(bits)
    summary = word >> 6
    bits = books.summaries[top.first_summary + summary] & ((1 << (word & 63)) - 1)
    while bits == 0:
        summary -= 1
        if summary < 0:
            return -1
        bits = books.summaries[top.first_summary + summary]
    word = (summary << 6) + highest_bit(bits)
    return (word << 6) + highest_bit(books.words[top.first_word + word])


@njit(cache=True)
def next_above(books: LimitOrderBooks, top: Any, price: int) -> int:
    """Return the lowest occupied price above ``price``, or -1."""
    word = price >> 6
    bits = books.words[top.first_word + word] & (-2 << (price & 63))
    if bits != 0:
        return (word << 6) + lowest_bit(bits)
    summary = word >> 6
    bits = books.summaries[top.first_summary + summary] & (-2 << (word & 63))
    while bits == 0:
        summary += 1
        if summary >= top.n_summaries:
            return -1
        bits = books.summaries[top.first_summary + summary]
    word = (summary << 6) + lowest_bit(bits)
    return (word << 6) + lowest_bit(books.words[top.first_word + word])
