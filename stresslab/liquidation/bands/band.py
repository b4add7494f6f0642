"""What every price band has: how much of a leg's value a forced order may give away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import NamedTuple

from stresslab.core.declarations import declared


class Leg(NamedTuple):
    """A leg that is to be closed, in a pool as it is judged; micro-USD."""

    notional: int
    maintenance: int  # of the leg
    pool_equity: int
    pool_maintenance: int
    legs_maintenance: int  # of all legs of the pool, each by itself


@declared
class PriceBand(ABC):
    """A limit on forced orders, from the mark of the round."""

    @abstractmethod
    def concession(self, leg: Leg) -> Fraction:
        """Return what closing the whole leg may cost against its mark; negative: must bring in."""
