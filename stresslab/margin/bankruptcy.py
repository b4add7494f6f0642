"""Bankruptcy prices: where the margin of a position is used up, long and short, linear and inverse.

``side`` is +1 long and -1 short, ``size`` is signed base coins, prices are in the quote currency.
"""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, require_positive, up_to
from stresslab.margin.cross_account import CrossAccount


def bankruptcy_price(side: int, entry: Number, leverage: Number) -> Number:
    """Return ``E (1 - s / L)``, linear and isolated, from initial margin alone.

    References
    ----------
    Bybit, Bankruptcy Price (USDT Contract).

    >>> bankruptcy_price(+1, 10_000, leverage=50), bankruptcy_price(-1, 10_000, leverage=50)
    (9800.0, 10200.0)
    """
    require_positive(leverage=leverage)
    return entry * (1 - side / leverage)


def bankruptcy_price_of_margin(
    side: int, quantity: Number, entry: Number, margin: Number
) -> Number:
    """Return ``E - s · margin / q``, linear and isolated, from the margin actually posted."""
    require_positive(quantity=quantity)
    return entry - side * margin / quantity


def inverse_bankruptcy_price(side: int, entry: Number, leverage: Number) -> Number:
    """Return ``E L / (L + s)``, inverse and isolated; infinite for a short at leverage 1.

    References
    ----------
    Bybit, Bankruptcy Price (Inverse Contract).
    """
    require_positive(leverage=leverage)
    if leverage + side == 0:
        raise StresslabError("leverage: a short inverse position at 1 x is never bankrupt")
    return entry * leverage / (leverage + side)


def bankruptcy_quote(
    account: CrossAccount, target: int, delta: Number, quote_step: Number = Fraction(1, 1_000_000)
) -> Number:
    """Return the quote that closing ``delta`` of a position must bring in to leave no deficit.

    ``Q = -d P - TNC · |ΔMMR| / TMMR``, rounded up to the smallest quote unit: positive is
    received, negative may be paid. ``Q / d`` is minus the position's bankruptcy price.

    Parameters
    ----------
    target : place of the position in the account
    delta : signed base coins traded, opposite to the position and no larger than it
    quote_step : smallest unit of the quote currency, 0 for no rounding

    Raises
    ------
    StresslabError
        When ``delta`` is 0, enlarges the position or passes through 0.

    References
    ----------
    dYdX Chain, x/clob, bankruptcy price in quote quantums.
    """
    position = account.positions[target]
    if delta == 0 or delta * position.size >= 0 or abs(delta) > abs(position.size):
        raise StresslabError(
            f"delta: {float(delta):g} does not close up to {float(abs(position.size)):g} of a "
            f"position of {float(position.size):g}"
        )
    freed = abs(delta) * position.price * position.rate
    return up_to(-delta * position.price - account.share_of(freed), quote_step)
