"""The fillable price of dYdX: the worse the pool, the further from the mark."""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.declarations import declared, param
from stresslab.core.rational import clamp, exact
from stresslab.liquidation.bands.band import Leg, PriceBand


@declared
class FillableBand(PriceBand):
    """A forced order may cost a part of the leg's maintenance margin that grows with the breach.

    ``clamp(BA (1 - equity / maintenance), 0, 1) · SMMR · maintenance of the leg``, the rule of
    :func:`stresslab.liquidation.fillable_price.fillable_price`.
    """

    adjustment: float = param(
        "How fast the part grows with the breach",
        symbol="BA",
        default=1.0,
        ge=1,
        le=100,
        source="dYdX Chain, x/clob liquidations config",
    )
    spread: float = param(
        "Cost at most, of the leg's maintenance margin",
        unit="of maintenance",
        symbol="SMMR",
        default=1.5,
        gt=0,
        le=100,
        source="dYdX Chain, x/clob liquidations config",
    )

    def concession(self, leg: Leg) -> Fraction:
        if leg.pool_maintenance == 0:
            return Fraction(0)
        short = 1 - Fraction(leg.pool_equity, leg.pool_maintenance)
        part = clamp(exact(self.adjustment) * short, 0, 1)
        return Fraction(part * exact(self.spread) * leg.maintenance)
