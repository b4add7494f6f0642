"""How venues round the prices that they show."""

from __future__ import annotations

from stresslab.core.rational import Number, down_to, up_to


def displayed_price(price: Number, side: int, tick: Number) -> Number:
    """Return a liquidation price on the tick grid: up for longs, down for shorts.

    So it is shown a little too early, never too late. Tick 0 leaves the price as it is.

    References
    ----------
    Bybit, Liquidation Price (USDT Contract); KuCoin position fields round likewise.
    """
    return up_to(price, tick) if side > 0 else down_to(price, tick)


def displayed_bankruptcy(price: Number, side: int, tick: Number) -> Number:
    """Return a bankruptcy price on the tick grid, away from entry: down for longs, up for shorts.

    References
    ----------
    Bybit, Bankruptcy Price (USDT Contract).
    """
    return displayed_price(price, -side, tick)
