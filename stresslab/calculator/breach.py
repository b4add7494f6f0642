"""The first tick at which a position is in breach: by the exact price, or by asking the engine."""

from __future__ import annotations

import math
from fractions import Fraction

from stresslab.calculator.bench import Bench
from stresslab.core.rational import Number

_FARTHEST = 1 << 30  # ticks


def first_breach(price: Number, side: int, tick: Number) -> int | None:
    """Return the first tick beyond the price at which equity meets maintenance margin.

    A pool at exactly its maintenance margin is not in breach; where it is, the price is that with a
    micro-USD less. None when there is no such tick: a
    price is one tick at least.

    >>> first_breach(Fraction(950), +1, 1), first_breach(Fraction(1901, 2), -1, 1)
    (949, 951)
    """
    if side < 0:
        return max(1, math.floor(Fraction(price) / tick) + 1)
    ticks = math.ceil(Fraction(price) / tick) - 1
    return ticks if ticks >= 1 else None


def found_breach(bench: Bench, side: int) -> int | None:
    """Return the first tick, against the position, at which the engine finds the pool in breach.

    What a pool has beyond its requirement rises with the price for a long and falls for a short,
    since no scenario asks for more than the position is worth; so halving finds the only flip.
    None when there is none up to ``2^30`` ticks.
    """
    if side < 0 and not _is_breached(bench, _FARTHEST):
        return None
    sound, breached = (_FARTHEST, 0) if side > 0 else (0, _FARTHEST)
    while abs(sound - breached) > 1:
        middle = (sound + breached) // 2
        if _is_breached(bench, middle):
            breached = middle
        else:
            sound = middle
    return max(breached, 1) if breached or side < 0 else None


def _is_breached(bench: Bench, ticks: int) -> bool:
    equity, need = bench.state_at(ticks)
    return equity - int(bench.scenario.margin.breach_at_equality) < need
