"""Liquidation prices of inverse contracts: worth in USD is fixed, margin is in the coin."""

from __future__ import annotations

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, require_positive


def inverse(
    side: int,
    value: Number,
    entry: Number,
    wallet: Number,
    rate: Number,
    amount: Number = 0,
    other_profit: Number = 0,
    other_maintenance: Number = 0,
) -> Number:
    """Return ``N (m + s) / (W + OU - OM + c + s N / E)``.

    ``value`` N is contracts times contract value in USD; the rest of the money is in coin.

    References
    ----------
    Binance, How to Calculate Liquidation Price of COIN-M Futures Contracts.
    """
    require_positive(value=value, entry=entry)
    coin = wallet + other_profit - other_maintenance + amount + side * value / entry
    return _price(value * (rate + side), coin)


def inverse_fee_inside(
    side: int, value: Number, entry: Number, margin: Number, rate: Number, taker_fee: Number = 0
) -> Number:
    """Return ``N (1 + s (m + f)) / (N / E + s W)``, isolated, the fee counted as maintenance.

    References
    ----------
    OKX, inverse contracts, isolated. Its own display takes the fee at the bankruptcy price, which
    differs in the sixth digit.
    """
    require_positive(value=value, entry=entry)
    return _price(value * (1 + side * (rate + taker_fee)), value / entry + side * margin)


def inverse_with_fee_at_bankruptcy(
    side: int, value: Number, entry: Number, wallet: Number, rate: Number, taker_fee: Number = 0
) -> Number:
    """Return the cross price when the closing fee is taken at the bankruptcy price B.

    ``B = (1 + s f) N / (N / E + s W)``; margin to burn ``M = W - (N / E) m - N f / B``;
    ``1 / X = 1 / E + s M / N``.

    References
    ----------
    Bybit, Liquidation Price (Inverse Contract), cross margin of the old account.
    """
    require_positive(value=value, entry=entry)
    bankruptcy = _price((1 + side * taker_fee) * value, value / entry + side * wallet)
    margin = wallet - value / entry * rate - value * taker_fee / bankruptcy
    return _price(value, value / entry + side * margin)


def _price(value: Number, coin: Number) -> Number:
    """Below 0 no price liquidates: a short's margin is above its value."""
    if coin == 0:
        raise StresslabError("inverse contract: the margin covers every price")
    return value / coin
