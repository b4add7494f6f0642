"""Cells of a run are made again from their seeds and compared, byte for byte."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stresslab.core.errors import ConfigError, StorageError
from stresslab.experiment.messages import Reply, Setup, Task
from stresslab.experiment.pool import Death, Pool
from stresslab.experiment.runner import Options, available_cores
from stresslab.results.comparison import differences
from stresslab.results.folder import RunFolder
from stresslab.results.identity import RESULTS_VERSION
from stresslab.results.records import Record
from stresslab.results.run import Run


@dataclass(frozen=True)
class Reproduction:
    """What came of making a cell again; no differences mean equal, byte for byte.

    ``traceback`` is that of a cell that failed again.
    """

    cell: str
    differences: tuple[str, ...]
    traceback: str = ""

    @property
    def is_equal(self) -> bool:
        """Tell whether the cell came out as it is stored."""
        return not self.differences


def reproduce(
    path: str | os.PathLike[str], cells: Sequence[str] = (), options: Options | None = None
) -> list[Reproduction]:
    """Make finished cells of a run again and compare.

    Parameters
    ----------
    path
        Folder of the run.
    cells
        Beginnings of the cells' identities; all finished cells if none are given.

    Raises
    ------
    ConfigError
        If a cell is not finished, or the run was made by code with another ``results_version``.
    """
    options = options or Options()
    run = Run(path)
    _refuse_other_version(run)
    stored = {r.cell: r for r in (map(run.record, cells) if cells else run.records())}
    options.progress.begin(len(stored), 0)
    with tempfile.TemporaryDirectory(prefix="stresslab-") as temporary:
        again = RunFolder(Path(temporary))
        again.make()
        return _Reproducing(run, again, stored, options).run()


def _refuse_other_version(run: Run) -> None:
    found = run.resolved["results_version"]
    if found != RESULTS_VERSION:
        raise ConfigError(
            f"{run.path} was made with results_version {found}, this is {RESULTS_VERSION}; "
            "its cells cannot be compared"
        )


class _Reproducing:
    def __init__(
        self, run: Run, again: RunFolder, stored: dict[str, Record], options: Options
    ) -> None:
        self.run_, self.again, self.stored, self.options = run, again, stored, options

    def run(self) -> list[Reproduction]:
        found = {}
        tasks = [Task(cell, bool(record.events_sha256)) for cell, record in self.stored.items()]
        with Pool(self._setup(), tasks, self.options.workers or available_cores()) as pool:
            for reply in pool.replies():
                found[reply.cell] = self._compare(reply)
                is_equal = found[reply.cell].is_equal
                self.options.progress.cell(failed=not is_equal)
        return [found[cell] for cell in self.stored]

    def _setup(self) -> Setup:
        source, target = str(self.run_.path.resolve()), str(self.again.path)
        plugins = list(self.options.plugins)
        return Setup(source, target, self.options.simulation, list(sys.path), plugins)

    def _compare(self, reply: Reply | Death) -> Reproduction:
        stored = self.stored[reply.cell]
        if isinstance(reply, Death):
            same = stored.error_type == "WorkerDied"
            text = () if same else (f"the worker process died: {reply.how}",)
            return Reproduction(reply.cell, text)
        if reply.storage_error:
            raise StorageError(reply.storage_error)
        found = tuple(differences(self.run_.folder, self.again, stored))
        self._forget(reply.cell)
        return Reproduction(reply.cell, found, reply.traceback)

    def _forget(self, cell: str) -> None:
        self.again.events(cell).unlink(missing_ok=True)
        self.again.long(cell).unlink(missing_ok=True)
        self.again.record(cell).unlink(missing_ok=True)
