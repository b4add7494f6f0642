"""What the insurance fund gains or loses when a liquidated position is closed.

Amounts are in quote; positive is paid into the fund, negative out of it.
"""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number
from stresslab.margin.bankruptcy import bankruptcy_quote
from stresslab.margin.cross_account import CrossAccount


def fund_delta(
    account: CrossAccount,
    target: int,
    fill_size: Number,
    fill_price: Number,
    max_fee: Number,
    quote_step: Number = Fraction(1, 1_000_000),
) -> Number:
    """Return what the fund gets from a fill of a liquidation order on a shared cross account.

    ``raw = -d p - Q`` with Q the bankruptcy quote of the closed part. At or below 0 the fund pays
    it; above 0 it receives ``min(raw, max fee · |d p|)`` and the rest stays with the trader.

    Parameters
    ----------
    target : place of the position in the account
    fill_size : base coins closed, the sign is that of closing whatever is given
    max_fee : largest liquidation fee, of the notional filled

    References
    ----------
    dYdX Chain, x/clob, liquidation insurance fund delta.
    """
    position = account.positions[target]
    delta = -abs(fill_size) if position.size > 0 else abs(fill_size)
    cash = -delta * fill_price
    raw = cash - bankruptcy_quote(account, target, delta, quote_step)
    return min(raw, max_fee * abs(cash)) if raw > 0 else raw


def takeover_delta(
    side: int, quantity: Number, fill_price: Number, bankruptcy_price: Number
) -> Number:
    """Return what the fund gets from closing a position it took over at the bankruptcy price.

    ``s q (p - B)``: a better fill adds, a worse one subtracts; ``side`` is that of the position.

    References
    ----------
    BitMEX, Bybit and KuCoin, insurance fund pages.

    >>> takeover_delta(+1, 2, fill_price=99, bankruptcy_price=100)
    -2
    """
    if quantity < 0:
        raise StresslabError(f"quantity: {float(quantity):g} is below 0 base coins")
    return side * quantity * (fill_price - bankruptcy_price)
