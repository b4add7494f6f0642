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
from stresslab.model import ChangingModel, StressModel
from stresslab.results.frames import Tables


def simulate(
    scenario: dict[str, Any],
    seed: int,
    replicate: int,
    folder: Path,
    later: dict[str, Any] | None = None,
) -> tuple[Tables, Mapping[str, float], Tables]:
    """Run the model once and measure what happened; see :func:`play`."""
    tables = play(scenario, seed, replicate, folder, later)
    run = Contagion(tables)
    return tables, outcomes(run), long_tables(run)


def play(
    scenario: dict[str, Any],
    seed: int,
    replicate: int,
    folder: Path,
    later: dict[str, Any] | None = None,
) -> Tables:
    """Run the model once and return its event log.

    Parameters
    ----------
    scenario
        Complete plain values; data files are named inside ``folder``, the folder of the run.
    later
        The same with the rules that hold from ``counterfactual.from_step`` on.

    Raises
    ------
    ConfigError
        If those rules cannot be taken up on the way.
    """
    built = _built(scenario, folder)
    rehearse(lambda: StressModel(built, seed=seed, replicate=replicate).run(), cache_folder())
    if later is None:
        model = StressModel(built, seed=seed, replicate=replicate)
    else:
        model = ChangingModel(built, _built(later, folder), seed=seed, replicate=replicate)
    log = model.run()
    return {name: log.columns(name) for name in TABLES}


def _built(scenario: dict[str, Any], folder: Path) -> Any:
    local = renamed(Shape(scenario_class()), scenario, lambda name: str(folder / name))
    return declarations.build(scenario_class(), local)
