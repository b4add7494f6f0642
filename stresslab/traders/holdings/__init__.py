"""What a group holds before the first step. One file and one line here add another."""

from __future__ import annotations

from stresslab.traders.holdings.directional import Directional
from stresslab.traders.holdings.equal_lots import EqualLots
from stresslab.traders.holdings.flat import Flat
from stresslab.traders.holdings.pair import Pair
from stresslab.traders.holdings.spot_perpetual import SpotPerpetual

HOLDINGS: dict[str, type] = {
    "flat": Flat,
    "directional": Directional,
    "equal_lots": EqualLots,
    "pair": Pair,
    "spot_perpetual": SpotPerpetual,
}
