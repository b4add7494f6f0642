"""Health of a cross account: weighted assets less weighted liabilities, perpetuals included."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.rational import Number
from stresslab.margin.collateral_weights import borrow_scaled_weight, deposit_scaled_weight


class TokenHolding(NamedTuple):
    """A token in the account (negative is borrowed) and what the venue says of it."""

    balance: Number  # token units
    price: Number  # in quote
    asset_weight: Number
    liability_weight: Number
    deposits: Number = Fraction(0)  # of all accounts, token units
    borrows: Number = Fraction(0)
    deposit_scale_start: Number = Fraction(0)  # in quote, 0 never scales
    borrow_scale_start: Number = Fraction(0)

    def health(self, balance: Number) -> Number:
        """Return what a balance of the token adds to health, in quote."""
        if balance < 0:
            weight = borrow_scaled_weight(
                self.liability_weight, self.borrow_scale_start, self.borrows, self.price
            )
        else:
            weight = deposit_scaled_weight(
                self.asset_weight, self.deposit_scale_start, self.deposits, self.price
            )
        return balance * self.price * weight


class PerpetualHolding(NamedTuple):
    """A perpetual position with its quote balance, in units of the settle token."""

    size: Number  # signed base units
    price: Number
    quote: Number
    asset_weight: Number
    liability_weight: Number
    overall_weight: Number = Fraction(1)  # of a positive contribution

    @property
    def contribution(self) -> Number:
        """Weighted value plus quote balance; a positive sum counts at the overall weight."""
        weight = self.asset_weight if self.size > 0 else self.liability_weight
        total = self.size * self.price * weight + self.quote
        return total * self.overall_weight if total > 0 else total


def weighted_health(
    tokens: Sequence[TokenHolding], perpetuals: Sequence[PerpetualHolding] = ()
) -> Number:
    """Return the health of an account in quote; below 0 it is liquidated.

    The first token settles the perpetuals: their contributions join its balance before it is
    weighed, so they offset a deposit or a debt.

    References
    ----------
    Mango v4, health cache.

    >>> tokens = [TokenHolding(0, 1, 0.8, 1.2)]
    >>> round(weighted_health(tokens, [PerpetualHolding(-10, 5, 100, 0.8, 1.2, 0.95)]), 9)
    30.4
    """
    settled = sum((perpetual.contribution for perpetual in perpetuals), Fraction(0))
    balances = [token.balance for token in tokens]
    balances[0] += settled
    return sum(
        (token.health(balance) for token, balance in zip(tokens, balances, strict=True)),
        Fraction(0),
    )
