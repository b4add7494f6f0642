"""The limit price of a liquidation order that leaves the book room to fill it."""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, clamp
from stresslab.margin.cross_account import CrossAccount


def fillable_price(
    account: CrossAccount,
    target: int,
    bankruptcy_adjustment: Number = 1,
    spread_to_maintenance: Number = Fraction(3, 2),
) -> Number:
    """Return ``(z P - ABR · SMMR · MM) / z``: the worse the account, the further from oracle.

    ``ABR = clamp(BA (1 - TNC / TMMR), 0, 1)`` grows from 0 at maintenance margin to 1 when
    collateral is gone.

    Parameters
    ----------
    target : place of the position in the account
    bankruptcy_adjustment : BA, at least 1
    spread_to_maintenance : SMMR, spread in terms of the position's maintenance margin

    Raises
    ------
    StresslabError
        When the account has no such position or needs no maintenance margin.

    References
    ----------
    dYdX Chain, x/clob, fillable price. The docs page prints another formula than the chain runs.
    """
    position = account.positions[target]
    if position.size == 0 or not account.maintenance > 0:
        raise StresslabError("fillable price: the account has no position to liquidate")
    ratio = account.net_collateral / account.maintenance
    adjusted = clamp(bankruptcy_adjustment * (1 - ratio), 0, 1)
    discount = adjusted * spread_to_maintenance * position.maintenance
    return (position.value - discount) / position.size
