"""The figures, each a chart in a file of its own; a new one is a file and a line here."""

from __future__ import annotations

from types import ModuleType

from stresslab.report.figures import (
    cascade,
    ccdf,
    contagion_matrix,
    differences,
    liquidation_map,
    path,
    phase,
    response,
    waterfall,
)

#: Every figure by name, in the order of the report. A module gives ``TITLE``, ``prepare`` and
#: ``draw`` (see :class:`stresslab.report.chart.Chart`).
FIGURES: dict[str, ModuleType] = {
    "response": response,
    "differences": differences,
    "phase": phase,
    "waterfall": waterfall,
    "ccdf": ccdf,
    "contagion_matrix": contagion_matrix,
    "cascade": cascade,
    "path": path,
    "liquidation_map": liquidation_map,
}
