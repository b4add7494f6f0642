"""Cells of a study: which scenario, replicate by replicate, stands at which place of a design."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stresslab.experiment.columns import column_names
from stresslab.experiment.config import Config
from stresslab.experiment.datafiles import at, name_by_content, renamed, replaced
from stresslab.experiment.designs import PlannedDesign
from stresslab.experiment.overrides import Override, Variant, in_order, overlaid
from stresslab.experiment.shapes import shapes
from stresslab.experiment.venues import ROOT
from stresslab.results.identity import RESULTS_VERSION, cell_id, digest


@dataclass(frozen=True)
class Place:
    """One place in a design and the cell that fills it."""

    design: str
    point: int
    arm: str
    control: str
    replicate: int
    cell: str
    values: dict[str, Any]  # of the point, by path


@dataclass
class Plan:
    """Everything a run needs to know: places, cells, and the data files behind them.

    ``resolved`` is plain data in which nothing depends on the machine: the study with every
    default written out, the distinct scenarios as overrides of its own, and the cells.
    """

    places: list[Place] = field(default_factory=list)
    resolved: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)  # the config, with local data files
    files: dict[str, str] = field(default_factory=dict)  # name in the run -> absolute path

    @property
    def replicates(self) -> dict[str, int]:
        """Replicate of each cell, in the order of the design."""
        return {cell: replicate for cell, _, replicate in self.resolved["cells"]}


def make_plan(config: Config) -> Plan:
    """Lay out every cell of a study. Equal cells of several designs are one cell."""
    return _Planning(config).plan()


class _Planning:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.scenario_shape = shapes(config.study.options[0])[ROOT]
        self.names: dict[str, str] = {}  # absolute path -> name in the run
        self.numbers: dict[str, int] = {}  # digest of a scenario -> its number
        self.scenarios: list[dict[str, Any]] = []
        self.cells: dict[str, tuple[int, int]] = {}  # -> number of its scenario, replicate

    def plan(self) -> Plan:
        base = renamed(self.scenario_shape, self.config.values[ROOT], self._name)
        places = [p for design in self.config.designs for p in self._places(design, base)]
        study = {k: v for k, v in self._local_study(self.config.values).items() if k != "small"}
        resolved = {
            "results_version": RESULTS_VERSION,
            "study": study,
            "columns": column_names(p for place in places for p in place.values),
            "scenarios": self.scenarios,
            "cells": [[cell, *made_from] for cell, made_from in self.cells.items()],
        }
        written = {k: v for k, v in self._local_study(self.config.written).items() if k != "small"}
        return Plan(places, resolved, written, {f: name for name, f in self.names.items()})

    def _name(self, file: str) -> str:
        if file not in self.names:
            self.names[file] = name_by_content(file)
        return self.names[file]

    def _local_study(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a study in which the names of data files are those inside the run."""
        local: dict[str, Any] = renamed(self.config.study, values, self._name)
        for override in self._all_overrides():
            for steps in override.files:
                name = self._name(at(override.value, steps))
                local = replaced(local, (*override.written_at, *steps), name)
        return local

    def _all_overrides(self) -> Iterator[Override]:
        for design in self.config.designs:
            for variant in (*design.arms, *design.controls, *design.points):
                yield from (o for o in variant.overrides if not o.is_implied)

    def _places(self, design: PlannedDesign, base: dict[str, Any]) -> Iterator[Place]:
        for point, arm, control in design.combinations():
            number, scenario_digest = self._scenario(base, (point, arm, control))
            written = [o for o in point.overrides if not o.is_implied]
            values = {o.path: self._local(o).value for o in written}
            for replicate in range(design.replicates):
                cell = cell_id(scenario_digest, self.config.seed, replicate)
                self.cells.setdefault(cell, (number, replicate))
                names = (design.name, int(point.name), arm.name, control.name)
                yield Place(*names, replicate, cell, values)

    def _local(self, override: Override) -> Override:
        value = override.value
        for steps in override.files:
            value = replaced(value, steps, self._name(at(value, steps)))
        return dataclasses.replace(override, value=value)

    def _scenario(self, base: dict[str, Any], variants: tuple[Variant, ...]) -> tuple[int, str]:
        overrides = [self._local(override) for override in in_order(variants)]
        scenario = overlaid(base, overrides)
        scenario_digest = digest(scenario)
        if scenario_digest not in self.numbers:
            self.numbers[scenario_digest] = len(self.scenarios)
            self.scenarios.append({o.path: o.value for o in overrides})
        return self.numbers[scenario_digest], scenario_digest


def scenario_of(resolved: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the complete scenario with a number in the resolved form of a run."""
    overrides = [
        Override(path, tuple(path.split(".")[1:]), value)
        for path, value in resolved["scenarios"][number].items()
    ]
    return overlaid(resolved["study"][ROOT], overrides)
