"""A band around the mark price."""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.declarations import declared, param
from stresslab.core.rational import exact
from stresslab.liquidation.bands.band import Leg, PriceBand


@declared
class BandFromMark(PriceBand):
    """No forced order fills further from the mark than a part of it."""

    distance: float = param("Furthest from the mark", unit="of price", gt=0, lt=1)

    def concession(self, leg: Leg) -> Fraction:
        return leg.notional * exact(self.distance)
