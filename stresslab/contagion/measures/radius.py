"""Spectral radius of the next-generation matrix by asset, side and mode, along the path."""

from __future__ import annotations

import math

from stresslab.contagion.measures.branching import LEAST_LIQUIDATIONS, denominator_count
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.next_generation import generations, radius
from stresslab.contagion.projection import Contagion

#: Eigenvalues differ in their last bits from one Python's libraries to another's.
DIGITS = 9


def spectral_radius(run: Contagion) -> float:
    """Return the growth of forced notional per generation; NaN for fewer than 50 liquidations.

    It exceeds the branching ratio where types that cause much are those that are caused.
    """
    if denominator_count(run) < LEAST_LIQUIDATIONS:
        return math.nan
    return round(radius(generations(run)), DIGITS)


MEASURES = (
    Measure(
        "spectral_radius",
        "1",
        "Spectral radius of the next-generation matrix along the path",
        spectral_radius,
    ),
)
