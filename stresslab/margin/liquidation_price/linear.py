"""Liquidation prices of one linear position from its own margin."""

from __future__ import annotations

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, require_positive


def entry_maintenance(
    side: int,
    quantity: Number,
    entry: Number,
    leverage: Number,
    rate: Number,
    amount: Number = 0,
    extra_margin: Number = 0,
) -> Number:
    """Return the isolated price with maintenance margin frozen at entry value.

    ``E - s (IM - MM) / q - s · extra / q`` with ``V = q E``, ``IM = V / L``, ``MM = V m - c``.

    References
    ----------
    Bybit, Liquidation Price (USDT Contract), isolated.

    >>> entry_maintenance(+1, 1, 20_000, leverage=50, rate=0.005)
    19700.0
    """
    require_positive(quantity=quantity, leverage=leverage)
    value = quantity * entry
    margin = value / leverage - (value * rate - amount) + extra_margin
    return entry - side * margin / quantity


def fee_inside(
    side: int, quantity: Number, entry: Number, margin: Number, rate: Number, taker_fee: Number = 0
) -> Number:
    """Return the isolated price with the fee to close counted as maintenance.

    ``(E - s W / q) / (1 - s (m + f))``.

    References
    ----------
    Gate, OKX and Bitget, linear contracts, isolated.
    """
    require_positive(quantity=quantity)
    return (entry - side * margin / quantity) / _slope(side, rate + taker_fee)


def from_margin_ratio(
    side: int,
    quantity: Number,
    mark: Number,
    rate: Number,
    margin_ratio: Number,
    taker_fee: Number = 0,
) -> Number:
    """Return the cross price from the margin ratio that the venue shows.

    Equity is ``R q P (m + f)``; the price is ``(P - s · equity / q) / (1 - s (m + f))``. The ratio
    is equity over maintenance margin and closing fee: 1 is liquidation.

    References
    ----------
    OKX and Blofin, fields of cross positions.
    """
    require_positive(quantity=quantity)
    equity = margin_ratio * quantity * mark * (rate + taker_fee)
    return (mark - side * equity / quantity) / _slope(side, rate + taker_fee)


def position_fields(side: int, quantity: Number, cost: Number, margin: Number) -> Number:
    """Return the price at which ``margin`` is used up: ``(cost - s · margin) / q``.

    With position margin less maintenance margin it is the liquidation price, with initial and
    added margin the bankruptcy price. ``cost`` is the entry value, without sign.

    References
    ----------
    KuCoin futures, fields posCost, posMargin, posMaint, posInit of a position.
    """
    require_positive(quantity=quantity)
    return (cost - side * margin) / quantity


def _slope(side: int, rate: Number) -> Number:
    slope = 1 - side * rate
    if not slope > 0:
        raise StresslabError(f"maintenance rate with fee: {float(rate):g} is not below 1")
    return slope
