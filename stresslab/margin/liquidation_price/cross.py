"""Liquidation prices of a position in a cross account, one venue's rule each."""

from __future__ import annotations

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, require_positive


def hyperliquid(
    side: int, quantity: Number, price: Number, margin: Number, max_leverage: Number
) -> Number:
    """Return ``P - s · available / q / (1 - l s)`` with ``l = 1 / (2 · max leverage)``.

    ``available = margin - q P l``. ``margin`` is the position's margin when isolated; when cross
    it is the account value less the maintenance margin of the other positions.

    References
    ----------
    Hyperliquid docs, Liquidations.
    """
    require_positive(quantity=quantity, max_leverage=max_leverage)
    rate = 1 / (2 * max_leverage)
    available = margin - quantity * price * rate
    return price - side * available / quantity / (1 - rate * side)


def hyperliquid_raw(side: int, quantity: Number, raw_usd: Number, max_leverage: Number) -> Number:
    """Return the same from the position's raw USD: ``-raw / (s q (1 - l s))``.

    ``raw = margin - s q P`` is what the account would hold had it paid for the position.
    """
    require_positive(quantity=quantity, max_leverage=max_leverage)
    rate = 1 / (2 * max_leverage)
    return -raw_usd / (side * quantity * (1 - rate * side))


def dydx(
    equity: Number, size: Number, price: Number, rate: Number, other_maintenance: Number = 0
) -> Number:
    """Return ``(e - z P - MM of others) / (|z| m - z)``; ``size`` z is signed.

    References
    ----------
    dYdX Chain docs, Liquidations, isolated and cross liquidation price.

    >>> round(dydx(equity=1000, size=-3, price=3000, rate=0.05), 1)
    3174.6
    """
    slope = abs(size) * rate - size
    if slope == 0:
        raise StresslabError("size: 0, or a long with maintenance rate 1, has no price")
    return (equity - size * price - other_maintenance) / slope


def kucoin(
    size: Number,
    price: Number,
    margin: Number,
    gross_value: Number,
    rate: Number,
    taker_fee: Number = 0,
) -> Number:
    """Return ``(z P - |z P| a) / (1 - s m - s f) / z`` with ``a = margin / gross value``.

    ``gross_value`` is Σ q P over the account's positions, so each bears margin by its value.

    References
    ----------
    KuCoin, reference liquidation price under cross margin.
    """
    require_positive(gross_value=gross_value, absolute_size=abs(size))
    side = 1 if size > 0 else -1
    value = size * price
    return (value - abs(value) * margin / gross_value) / (1 - side * (rate + taker_fee)) / size
