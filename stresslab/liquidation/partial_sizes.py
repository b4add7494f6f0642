"""How much of a position one liquidation may or must take."""

from __future__ import annotations

import math

from stresslab.core.rational import Number, require_positive


def notional_limits(
    size: Number, price: Number, min_notional: Number, max_portion: Number
) -> tuple[Number, Number]:
    """Return the least and the most notional of a position that one block may liquidate.

    Least ``min(min notional, |z| P)``, most ``max(least, portion · |z| P)``, in quote.

    References
    ----------
    dYdX Chain, x/clob, position block limits.

    >>> notional_limits(1, 50_000, min_notional=1000, max_portion=0.1)
    (1000, 5000.0)
    """
    notional = abs(size * price)
    least = min(min_notional, notional)
    return least, max(least, max_portion * notional)


def base_to_cover(
    shortage: Number,
    margin_rate: Number,
    liquidation_fee: Number,
    fund_fee: Number,
    price: Number,
    quote_price: Number = 1,
) -> Number:
    """Return the base coins whose closing frees ``shortage`` of margin, in base units.

    ``shortage / (P Pq (m - fee) - P · fund fee)``; infinite when closing frees no margin.

    Parameters
    ----------
    shortage : maintenance margin missing, in USD
    margin_rate, liquidation_fee, fund_fee : of notional
    price, quote_price : oracle prices of the base in quote and of the quote in USD

    References
    ----------
    Drift protocol v2, base asset amount to cover a margin shortage.

    >>> base_to_cover(10, 0.125, liquidation_fee=0, fund_fee=0, price=100)
    0.8
    """
    freed = price * quote_price * (margin_rate - liquidation_fee) - price * fund_fee
    return shortage / freed if freed > 0 else math.inf


def liability_to_cover(
    shortage: Number,
    asset_weight: Number,
    asset_multiplier: Number,
    liability_weight: Number,
    liability_multiplier: Number,
    price: Number,
    fund_fee: Number = 0,
) -> Number:
    """Return how much debt must move, against its worth of assets, to free ``shortage``.

    ``shortage / (P (wL - wA · mA / mL - fund fee · wL))`` units of the debt; infinite when moving
    it frees no margin.

    Parameters
    ----------
    asset_multiplier, liability_multiplier : premium at which assets are given and discount at
        which debt is taken, about 1
    price : of the debt, in quote

    References
    ----------
    Drift protocol v2, liability transfer to cover a margin shortage.
    """
    require_positive(liability_multiplier=liability_multiplier)
    given = asset_weight * asset_multiplier / liability_multiplier
    freed = price * (liability_weight - given - fund_fee * liability_weight)
    return shortage / freed if freed > 0 else math.inf
