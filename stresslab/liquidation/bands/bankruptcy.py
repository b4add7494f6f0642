"""No worse than the bankruptcy price."""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.declarations import declared
from stresslab.liquidation.bands.band import Leg, PriceBand


@declared
class BankruptcyBand(PriceBand):
    """No forced order fills beyond the price at which its part of the pool's equity is gone.

    Equity is shared over the legs by maintenance margin, as at dYdX v4. What nobody takes there is
    left to the waterfall once equity is negative.
    """

    def concession(self, leg: Leg) -> Fraction:
        if leg.legs_maintenance == 0:
            return Fraction(leg.pool_equity)
        return Fraction(leg.pool_equity * leg.maintenance, leg.legs_maintenance)
