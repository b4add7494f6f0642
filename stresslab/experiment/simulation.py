"""One cell: a scenario runs once, and its event log is measured."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core import declarations
from stresslab.core.events import TABLES
from stresslab.experiment.config import scenario_class
from stresslab.experiment.datafiles import renamed
from stresslab.experiment.shapes import Shape

Tables = dict[str, dict[str, np.ndarray]]
Outcomes = Mapping[str, int | float | None]

#: (plain scenario, seed, replicate, folder of the run) -> event tables and outcomes.
Simulate = Callable[[dict[str, Any], int, int, Path], tuple[Tables, Outcomes]]

#: Where workers find the function that runs a cell.
DEFAULT = "stresslab.experiment.simulation:simulate"


def simulate(
    scenario: dict[str, Any], seed: int, replicate: int, folder: Path
) -> tuple[Tables, Outcomes]:
    """Run the model once and measure what happened."""
    from stresslab.contagion.outcomes import measure
    from stresslab.model import StressModel

    shape = Shape(scenario_class())
    local = renamed(shape, scenario, lambda name: str(folder / name))
    built: Any = declarations.build(scenario_class(), local)
    log = StressModel(built, seed=seed, replicate=replicate).run()
    tables = {name: log.columns(name) for name in TABLES}
    return tables, measure(tables)


def find(reference: str) -> Simulate:
    """Return the function that ``module:name`` refers to."""
    module, _, name = reference.partition(":")
    function: Simulate = getattr(importlib.import_module(module), name)
    return function


def plain_outcomes(outcomes: Mapping[str, Any]) -> Outcomes:
    """Return outcomes as plain Python numbers; what is no number is null."""
    return {name: _number(value) for name, value in outcomes.items()}


def _number(value: Any) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return int(value)
    number = float(value)
    return None if math.isnan(number) else number
