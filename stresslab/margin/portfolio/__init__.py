"""Portfolio margin: one requirement for positions that hedge each other."""

from stresslab.margin.portfolio.grid import GridMargin, grid_margin, naked_shorts, scenario_change
from stresslab.margin.portfolio.holdings import Collateral, Expiry, Option, Portfolio
from stresslab.margin.portfolio.parameters import (
    Contingencies,
    ForwardContingency,
    GridParameters,
    LossFactors,
    SkewShock,
    VolatilityShock,
)
from stresslab.margin.portfolio.scenarios import Scenario, standard_scenarios

__all__ = [
    "Collateral",
    "Contingencies",
    "Expiry",
    "ForwardContingency",
    "GridMargin",
    "GridParameters",
    "LossFactors",
    "Option",
    "Portfolio",
    "Scenario",
    "SkewShock",
    "VolatilityShock",
    "grid_margin",
    "naked_shorts",
    "scenario_change",
    "standard_scenarios",
]
