"""Runs cells inside a worker and stores what they come to."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import math
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.errors import StorageError
from stresslab.experiment.cells import scenario_of
from stresslab.experiment.messages import Reply, Setup, Task
from stresslab.results.event_files import pack_events
from stresslab.results.files import sha256
from stresslab.results.folder import RunFolder
from stresslab.results.frames import Tables
from stresslab.results.long_tables import pack_long
from stresslab.results.records import DONE, FAILED, Outcomes, Record

#: (plain scenario, seed, replicate, folder of the run) -> event tables, outcomes, long tables.
Simulate = Callable[[dict[str, Any], int, int, Path], tuple[Tables, Mapping[str, Any], Tables]]


class CellRuns:
    """The cells of one run, ready to be run one by one."""

    def __init__(self, setup: Setup) -> None:
        self.source, self.target = RunFolder(Path(setup.folder)), RunFolder(Path(setup.out))
        self.resolved = self.source.read_resolved()
        self.made_from = {cell: rest for cell, *rest in self.resolved["cells"]}
        self.seed = int(self.resolved["study"]["seed"])
        for number, plugin in enumerate(setup.plugins):
            _load(plugin, f"stresslab_plugin_{number}")
        self.simulate = _find(setup.simulation)
        self.is_settled = False

    def run(self, task: Task) -> Reply:
        """Run and store one cell; a failure of the simulation is stored too."""
        reply = self._run(task)
        self._forget()
        return reply

    def _forget(self) -> None:
        """Free what the cell leaves behind.

        A model and its agents refer to each other, so that only a collection frees their columns,
        and a collection of everything comes too seldom where objects are few and arrays large. What
        stands after the first cell, mostly libraries and compiled kernels, is not looked at again.
        """
        gc.collect()
        if not self.is_settled:
            gc.freeze()
            self.is_settled = True

    def _run(self, task: Task) -> Reply:
        started = time.perf_counter()
        try:
            tables, outcomes, long_tables = self._simulate(task.cell)
        except Exception as error:  # whatever a scenario provokes is this cell's result
            failure = Record(task.cell, FAILED, error_type=type(error).__name__, error=str(error))
            text = "".join(traceback.format_exception(error))
            return self._store(failure, Reply(task.cell, failed=True, traceback=text))
        events = pack_events(tables) if task.keeps_events else None
        long = pack_long(long_tables)
        sums = {"events_sha256": sha256(events) if events else "", "long_sha256": sha256(long)}
        record = Record(task.cell, DONE, outcomes, **sums)
        reply = Reply(task.cell, seconds=time.perf_counter() - started)
        return self._store(record, reply, events, long)

    def _simulate(self, cell: str) -> tuple[Tables, Outcomes, Tables]:
        number, replicate = self.made_from[cell]
        scenario = scenario_of(self.resolved, number)
        made = self.simulate(scenario, self.seed, replicate, self.source.path)
        tables, outcomes, long_tables = made
        return tables, {name: _plain(value) for name, value in outcomes.items()}, long_tables

    def _store(
        self, record: Record, reply: Reply, events: bytes | None = None, long: bytes | None = None
    ) -> Reply:
        try:
            self.target.store(record, events, long)
        except StorageError as error:
            return Reply(record.cell, storage_error=str(error))
        return reply


def _find(reference: str) -> Simulate:
    """Return the function that ``module:name`` refers to."""
    module, _, name = reference.partition(":")
    function: Simulate = getattr(importlib.import_module(module), name)
    return function


def _plain(value: Any) -> int | float | None:
    """Return an outcome as a plain number; what is undefined is null."""
    if value is None:
        return None
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return int(value)
    number = float(value)
    return None if math.isnan(number) else number


def _load(file: str, name: str) -> None:
    """Run a plug-in file, which registers its parts."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
