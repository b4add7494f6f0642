"""Which price levels are occupied: two floors of 64-bit words, so a gap costs a few operations.

Bids and asks share the bits, for every level up to the best bid is a bid and every other an ask.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.wide import highest_bit, lowest_bit
from stresslab.market.limit_order_book.columns import N_SUMMARIES, SUMMARIES, WORDS

_BIT, _ABOVE = np.int64(1), np.int64(-2)  # they drop what they shift out, as words do


@kernel
def occupy(memory: np.ndarray, book: int, price: int) -> None:
    """Mark a price level as occupied."""
    word = price >> 6
    memory[memory[book + WORDS] + word] |= _BIT << (price & 63)
    memory[memory[book + SUMMARIES] + (word >> 6)] |= _BIT << (word & 63)


@kernel
def vacate(memory: np.ndarray, book: int, price: int) -> None:
    """Mark a price level as empty."""
    word = price >> 6
    place = memory[book + WORDS] + word
    memory[place] &= ~(_BIT << (price & 63))
    if memory[place] == 0:
        memory[memory[book + SUMMARIES] + (word >> 6)] &= ~(_BIT << (word & 63))


@kernel
def next_below(memory: np.ndarray, book: int, price: int) -> int:
    """Return the highest occupied price below ``price``, or -1."""
    words, summaries = memory[book + WORDS], memory[book + SUMMARIES]
    word = price >> 6
    bits = memory[words + word] & ((_BIT << (price & 63)) - 1)
    if bits != 0:
        return (word << 6) + highest_bit(bits)
    summary = word >> 6
    bits = memory[summaries + summary] & ((_BIT << (word & 63)) - 1)
    while bits == 0:
        summary -= 1
        if summary < 0:
            return -1
        bits = memory[summaries + summary]
    word = (summary << 6) + highest_bit(bits)
    return (word << 6) + highest_bit(memory[words + word])


@kernel
def next_above(memory: np.ndarray, book: int, price: int) -> int:
    """Return the lowest occupied price above ``price``, or -1."""
    words, summaries = memory[book + WORDS], memory[book + SUMMARIES]
    word = price >> 6
    bits = memory[words + word] & (_ABOVE << (price & 63))
    if bits != 0:
        return (word << 6) + lowest_bit(bits)
    summary = word >> 6
    bits = memory[summaries + summary] & (_ABOVE << (word & 63))
    while bits == 0:
        summary += 1
        if summary >= memory[book + N_SUMMARIES]:
            return -1
        bits = memory[summaries + summary]
    word = (summary << 6) + lowest_bit(bits)
    return (word << 6) + lowest_bit(memory[words + word])
