"""What a portfolio margined by scenarios holds. Amounts are signed; prices are in quote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FIXING_SECONDS = 1800  # the settlement price is the average of the last half hour


class Option(NamedTuple):
    """A position in one European option."""

    strike: float
    is_call: bool
    amount: float
    volatility: float  # at the mark, per year


class Expiry(NamedTuple):
    """The options of one expiry and what the oracles say of it."""

    seconds: float  # to expiry
    forward: float
    rate: float  # interest, per year
    confidence: float  # lowest of the forward's, the rate's and the volatilities'
    options: Sequence[Option]

    @property
    def fixed_forward(self) -> float:
        """The part of the forward that is settled already and moves no more."""
        elapsed = min(max(FIXING_SECONDS - self.seconds, 0.0), FIXING_SECONDS)
        return self.forward * elapsed / FIXING_SECONDS

    def forward_at(self, spot_factor: float) -> float:
        """Return the forward when spot moves by a factor."""
        fixed = self.fixed_forward
        return (self.forward - fixed) * spot_factor + fixed


class Collateral(NamedTuple):
    """A token held as collateral."""

    amount: float
    price: float
    moves_with_spot: bool  # its value follows the underlying, so it hedges
    maintenance_haircut: float  # of value
    initial_haircut: float  # of value, on top
    confidence: float = 1.0


class Portfolio(NamedTuple):
    """A portfolio in one underlying."""

    spot: float
    cash: float = 0.0
    perpetuals: float = 0.0  # signed base coins
    perpetual_price: float = 0.0
    unrealised: float = 0.0  # profit and funding of the perpetuals, not yet in cash
    stable_price: float = 1.0  # of the quote currency, in USD
    spot_confidence: float = 1.0
    perpetual_confidence: float = 1.0
    expiries: Sequence[Expiry] = ()
    collaterals: Sequence[Collateral] = ()

    def value_of(self, collateral: Collateral) -> float:
        """Return the value of a collateral in quote."""
        return collateral.amount * collateral.price / self.stable_price

    @property
    def confidence(self) -> float:
        """Lowest confidence of the prices that perpetuals and options rest on."""
        if self.perpetuals == 0:
            return self.spot_confidence
        return min(self.spot_confidence, self.perpetual_confidence)
