"""Counterfactual twins of a cell: the same people and luck, one thing changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stresslab.core.errors import ConfigError
from stresslab.experiment.cells import scenario_of
from stresslab.experiment.config import read_config, scenario_class
from stresslab.experiment.datafiles import renamed
from stresslab.experiment.shapes import Shape
from stresslab.experiment.venues import PATH as VENUE
from stresslab.results.frames import Tables
from stresslab.results.run import Run


@dataclass(frozen=True)
class Changes:
    """What a twin changes: fields of the declared ``Counterfactual``, and overrides.

    Both hold from the start, or from the counterfactual's ``from_step`` on.
    """

    counterfactual: Mapping[str, Any] = field(default_factory=dict)
    settings: Sequence[str] = ()

    @property
    def before(self) -> Changes | None:
        """What a run begins with whose settings come later; None where they hold from the start."""
        if not self.settings or self.counterfactual.get("from_step") is None:
            return None
        return Changes(self.counterfactual)


@dataclass(frozen=True)
class Twins:
    """The event logs of a cell and of its twin."""

    cell: str
    scenario: dict[str, Any]  # of the twin, complete
    original: Tables
    twin: Tables


def run_twins(run: Run, cell: str, changes: Changes) -> Twins:
    """Run the twin of a cell; the original is read where its events are kept, else run too.

    Raises
    ------
    ConfigError
        If there is no such cell or the change is unsound.
    """
    from stresslab.experiment.simulation import simulate

    record = run.record(cell)
    number, replicate = _made_from(run, record.cell)
    seed = int(run.study["seed"])
    scenario = scenario_of(run.resolved, number)
    changed = changed_scenario(run, scenario, changes)
    original = original_tables(run, record.cell)
    if changes.before is None:
        twin, _, _ = simulate(changed, seed, replicate, run.path)
    else:
        first = changed_scenario(run, scenario, changes.before)
        twin, _, _ = simulate(first, seed, replicate, run.path, changed)
    return Twins(record.cell, changed, original, twin)


def original_tables(run: Run, cell: str) -> Tables:
    """Return the event log of a cell, read where it is kept, else made again.

    Raises
    ------
    ConfigError
        If the cell failed.
    """
    from stresslab.experiment.simulation import simulate

    record = run.record(cell)
    if not record.is_done:
        raise ConfigError(f"cell {record.cell} failed; it has no run to be changed")
    if record.events_sha256:
        return run.tables(record.cell)
    number, replicate = _made_from(run, record.cell)
    scenario = scenario_of(run.resolved, number)
    return simulate(scenario, int(run.study["seed"]), replicate, run.path)[0]


def _made_from(run: Run, cell: str) -> tuple[int, int]:
    numbers = {name: (number, replicate) for name, number, replicate in run.resolved["cells"]}
    return numbers[cell]


def changed_scenario(run: Run, scenario: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return the complete, checked scenario of a twin; data files stand by absolute path.

    Raises
    ------
    ConfigFaults
        With every fault of the change.
    """
    shape = Shape(scenario_class())
    local = renamed(
        shape, copy.deepcopy(dict(scenario)), lambda name: str((run.path / name).resolve())
    )
    venue = local.pop("venue", None)  # its rules stand in the scenario, where they may be changed
    if any(setting.partition("=")[0].strip() == VENUE for setting in changes.settings):
        raise ConfigError(f"--set {VENUE}: a twin changes rules one by one; compare venues as arms")
    local["counterfactual"] = {**local["counterfactual"], **changes.counterfactual}
    values = {"name": run.name, "seed": int(run.study["seed"]), "scenario": local,
              "designs": {"twin": {"replicates": 1}}}  # fmt: skip
    found: dict[str, Any] = read_config(values, changes.settings).values["scenario"]
    return {**found, "venue": venue}
