"""The figures, each a chart in a file of its own; a new one is a file and a line here."""

from __future__ import annotations

from stresslab.report.chart import Chart
from stresslab.report.figures import (
    cascade,
    ccdf,
    contagion_matrix,
    depth,
    design,
    differences,
    fragility,
    importance,
    liquidation_map,
    path,
    phase,
    response,
    waterfall,
)

#: Every figure by name, in the order of the report.
FIGURES: dict[str, Chart] = {
    "response": response.CHART,
    "design": design.CHART,
    "differences": differences.CHART,
    "fragility": fragility.CHART,
    "phase": phase.CHART,
    "waterfall": waterfall.CHART,
    "ccdf": ccdf.CHART,
    "contagion_matrix": contagion_matrix.CHART,
    "cascade": cascade.CHART,
    "importance": importance.CHART,
    "path": path.CHART,
    "depth": depth.CHART,
    "liquidation_map": liquidation_map.CHART,
}
