"""Losses on given exposure matrices: who owes whom, and what a shock makes of everybody's equity.

These need no simulation. Matrices are dense, ``exposures[i, j]`` is what ``i`` has lent to ``j``.
"""

from stresslab.contagion.networks.debtrank import debtrank, is_stable, spectral_radius
from stresslab.contagion.networks.fire_sales import Vulnerability, vulnerable_banks
from stresslab.contagion.networks.overlap import OverlapPrediction, overlap_contagion
from stresslab.contagion.networks.thresholds import (
    Reach,
    cascade_window,
    final_size,
    giant_component,
    poisson_network,
    threshold_cascade,
)
from stresslab.contagion.networks.valuation import (
    eisenberg_noe,
    furfine,
    linear_debtrank,
    revalued,
)

__all__ = [
    "OverlapPrediction",
    "Reach",
    "Vulnerability",
    "cascade_window",
    "debtrank",
    "eisenberg_noe",
    "final_size",
    "furfine",
    "giant_component",
    "is_stable",
    "linear_debtrank",
    "overlap_contagion",
    "poisson_network",
    "revalued",
    "spectral_radius",
    "threshold_cascade",
    "vulnerable_banks",
]
