"""Losses that nobody's margin covers, shared by everybody."""

from __future__ import annotations

from collections.abc import Iterable

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, up_to


def deposit_haircut(loss: Number, deposits: Number) -> Number:
    """Return the part of every deposit that is lost: ``loss / deposits``; 0 without deposits.

    References
    ----------
    Drift protocol v2, deposit interest delta to resolve a bankruptcy.

    >>> deposit_haircut(loss=30, deposits=120)
    0.25
    """
    return loss / deposits if deposits > 0 else 0


def charge_per_contract(
    loss: Number, long_interest: Number, short_interest: Number, step: Number = 0
) -> Number:
    """Return what each base unit on both sides pays: ``loss / (OI long + OI short)``, rounded up.

    Interests are base units without sign.

    Raises
    ------
    StresslabError
        When nobody holds the contract.

    References
    ----------
    Drift protocol v2, funding rate deltas to resolve a bankruptcy.
    """
    interest = abs(long_interest) + abs(short_interest)
    if interest == 0:
        raise StresslabError("socialised loss: nobody holds the contract")
    return up_to(loss / interest, step)


def withdrawal_charge(balances: Iterable[Number], fund: Number) -> Number:
    """Return the part of a withdrawal that is kept: shortfall over the sum of balances.

    The shortfall is what negative balances sum to beyond the insurance fund; the sum is that of
    positive balances. The formula printed by the venue adds the shortfall to the denominator, its
    example does not; this follows the example.

    References
    ----------
    Paradex, Socialized Losses.

    >>> withdrawal_charge([100, 300, -120], fund=20)
    0.25
    """
    amounts = list(balances)
    shortfall = max(0, -sum(amount for amount in amounts if amount < 0) - fund)
    whole = sum(amount for amount in amounts if amount > 0)
    return shortfall / whole if whole > 0 else 0
