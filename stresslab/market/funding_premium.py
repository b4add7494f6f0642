"""The premium of a perpetual over its index, from what an order of a fixed notional would pay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from stresslab.core.rational import Number, clamp, exact, require_positive

PARTS_PER_MILLION = 1_000_000


def impact_price(
    levels: Iterable[tuple[Number, Number]], notional: Number, is_bid: bool
) -> Number | None:
    """Return the average price of filling a notional on one side; None without the depth for it.

    ``notional / base filled``. A notional of 0 asks the best price.

    Parameters
    ----------
    levels : (price in quote, base coins) of one side, in any order
    is_bid : whether the levels are bids, which fill from the highest
    """
    left, base = notional, 0
    for price, quantity in sorted(levels, key=lambda level: level[0], reverse=is_bid):
        if quantity <= 0:
            continue
        if left == 0:
            return price
        if price * quantity >= left:
            return notional / (base + left / price)
        left -= price * quantity
        base += quantity
    return None


def premium(impact_bid: Number | None, impact_ask: Number | None, index: Number) -> Number:
    """Return ``(max(0, bid - index) - max(0, index - ask)) / index``; a missing side adds 0.

    References
    ----------
    BitMEX, Binance, Bybit and dYdX Chain: premium index from impact prices.

    >>> premium(101, 102, index=100), premium(None, 98, index=100)
    (0.01, -0.02)
    """
    require_positive(index=index)
    above = 0 if impact_bid is None else max(0, impact_bid - index)
    below = 0 if impact_ask is None else max(0, index - impact_ask)
    return (above - below) / index


def premium_parts_per_million(
    bids: Iterable[tuple[Number, Number]],
    asks: Iterable[tuple[Number, Number]],
    index: Number,
    notional: Number,
    largest: Number = math.inf,
) -> int:
    """Return the premium of a book in parts per million, truncated toward 0 and clamped.

    Worked out in rationals, since truncation shows the last digit of any rounding.

    References
    ----------
    dYdX Chain, x/clob/memclob, price premium.
    """
    bid = impact_price(_exactly(bids), exact(notional), is_bid=True)
    ask = impact_price(_exactly(asks), exact(notional), is_bid=False)
    parts = premium(bid, ask, exact(index)) * PARTS_PER_MILLION
    return int(clamp(math.trunc(parts), -largest, largest))


def _exactly(levels: Iterable[tuple[Number, Number]]) -> list[tuple[Fraction, Fraction]]:
    return [(exact(price), exact(quantity)) for price, quantity in levels]
