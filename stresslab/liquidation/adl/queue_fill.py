"""Auto-deleveraging in order of rank: the highest score gives first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

from stresslab.core.rational import Number

Account = TypeVar("Account", bound=Hashable)


def queue_fill(
    size: Number, accounts: Iterable[tuple[Account, Number, Number]]
) -> dict[Account, Number]:
    """Return the quantity that each account gives up, in order of the queue.

    Parameters
    ----------
    size : quantity to be closed, without sign
    accounts : (account, quantity held, score); equal scores keep the order they come in

    References
    ----------
    BitMEX, Auto Deleveraging Examples.

    >>> queue_fill(20, [("a", 10, 3), ("b", 10, 6), ("c", 20, 5)])
    {'b': 10, 'c': 10}
    """
    left = abs(size)
    fills: dict[Account, Number] = {}
    for account, quantity, _ in sorted(accounts, key=lambda row: -row[2]):
        given = min(left, abs(quantity))
        if given > 0:
            fills[account] = given
        left -= given
    return fills
