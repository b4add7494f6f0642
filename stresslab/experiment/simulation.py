"""One cell: a scenario runs once, and its event log is measured.

Imported by workers only: the model and all its kernels come with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stresslab.contagion.long import long_tables
from stresslab.contagion.outcomes import outcomes
from stresslab.contagion.projection import Contagion
from stresslab.core import declarations
from stresslab.core.compile_cache import cache_folder
from stresslab.core.compile_turns import rehearse
from stresslab.core.events import TABLES
from stresslab.experiment.config import scenario_class
from stresslab.experiment.datafiles import renamed
from stresslab.experiment.shapes import Shape
from stresslab.model import StressModel
from stresslab.results.frames import Tables


def simulate(
    scenario: dict[str, Any], seed: int, replicate: int, folder: Path
) -> tuple[Tables, Mapping[str, float], Tables]:
    """Run the model once and measure what happened; see :func:`play`."""
    tables = play(scenario, seed, replicate, folder)
    run = Contagion(tables)
    return tables, outcomes(run), long_tables(run)


def play(scenario: dict[str, Any], seed: int, replicate: int, folder: Path) -> Tables:
    """Run the model once and return its event log.

    Parameters
    ----------
    scenario
        Complete plain values; data files are named inside ``folder``, the folder of the run.
    """
    local = renamed(Shape(scenario_class()), scenario, lambda name: str(folder / name))
    built: Any = declarations.build(scenario_class(), local)
    rehearse(lambda: StressModel(built, seed=seed, replicate=replicate).run(), cache_folder())
    log = StressModel(built, seed=seed, replicate=replicate).run()
    return {name: log.columns(name) for name in TABLES}
