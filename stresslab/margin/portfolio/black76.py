"""Black's formula for a European option on a forward."""

from __future__ import annotations

import math

SECONDS_PER_YEAR = 365 * 86_400


def black76(
    forward: float, strike: float, volatility: float, years: float, discount: float, is_call: bool
) -> float:
    """Return the value of one option in quote; its intrinsic value without time or volatility.

    Parameters
    ----------
    forward, strike : in quote
    volatility : standard deviation of a year's log return
    discount : value today of one unit paid at expiry

    References
    ----------
    Black (1976), The pricing of commodity contracts, Journal of Financial Economics 3.

    >>> round(black76(100, 100, volatility=0.2, years=1, discount=1, is_call=True), 6)
    7.965567
    """
    deviation = volatility * math.sqrt(years)
    if deviation <= 0 or forward <= 0 or strike <= 0:
        worth = forward - strike if is_call else strike - forward
        return discount * max(0.0, worth)
    upper = math.log(forward / strike) / deviation + deviation / 2
    lower = upper - deviation
    if is_call:
        return discount * (forward * normal_share(upper) - strike * normal_share(lower))
    return discount * (strike * normal_share(-lower) - forward * normal_share(-upper))


def normal_share(value: float) -> float:
    """Return the part of a standard normal distribution at or below a value."""
    return math.erfc(-value / math.sqrt(2)) / 2
