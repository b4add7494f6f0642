"""A cross account of signed positions under one quote balance, as on-chain venues keep it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number


class CrossPosition(NamedTuple):
    """Signed base coins at the oracle price, with a maintenance rate of notional."""

    size: Number
    price: Number
    rate: Number

    @property
    def value(self) -> Number:
        """Signed value in quote."""
        return self.size * self.price

    @property
    def maintenance(self) -> Number:
        """Maintenance margin in quote."""
        return abs(self.value) * self.rate


class CrossAccount(NamedTuple):
    """Quote balance (negative is owed) and positions."""

    quote_balance: Number
    positions: Sequence[CrossPosition]

    @property
    def net_collateral(self) -> Number:
        """Total net collateral TNC: balance plus the value of all positions, in quote."""
        return self.quote_balance + sum((p.value for p in self.positions), Fraction(0))

    @property
    def maintenance(self) -> Number:
        """Total maintenance margin requirement TMMR, in quote."""
        return sum((p.maintenance for p in self.positions), Fraction(0))

    def share_of(self, maintenance: Number) -> Number:
        """Return the part of net collateral that goes with a part of the requirement.

        Collateral is shared between positions in proportion to maintenance margin.

        Raises
        ------
        StresslabError
            When the account needs no maintenance margin, so that nothing can be shared by it.
        """
        if not self.maintenance > 0:
            raise StresslabError("cross account: total maintenance margin is 0, must be above")
        return self.net_collateral * maintenance / self.maintenance
