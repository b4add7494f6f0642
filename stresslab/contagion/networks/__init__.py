"""Losses on given exposure matrices: who owes whom, and what a shock makes of everybody's equity.

These need no simulation. Matrices are dense, ``exposures[i, j]`` is what ``i`` has lent to ``j``.
"""

from stresslab.contagion.networks.debtrank import debtrank, is_stable, spectral_radius
from stresslab.contagion.networks.valuation import (
    eisenberg_noe,
    furfine,
    linear_debtrank,
    revalued,
)

__all__ = [
    "debtrank",
    "eisenberg_noe",
    "furfine",
    "is_stable",
    "linear_debtrank",
    "revalued",
    "spectral_radius",
]
