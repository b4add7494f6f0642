"""Runs a study: lays out its folder, runs the cells that are missing, gathers the outcomes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stresslab.core.compile_cache import cache_folder, choose_cache_folder
from stresslab.core.compile_turns import is_rehearsed
from stresslab.core.errors import ConfigError, DamagedResultsError, StorageError
from stresslab.experiment.cells import Plan, make_plan
from stresslab.experiment.config import Config
from stresslab.experiment.design_frame import design_frame
from stresslab.experiment.messages import Reply, Setup, Task
from stresslab.experiment.pool import ATTEMPTS, Death, Pool
from stresslab.experiment.progress import Progress, Silent
from stresslab.experiment.written import config_text
from stresslab.results.files import storage_errors, write_whole
from stresslab.results.folder import RunFolder
from stresslab.results.frames import parquet_bytes
from stresslab.results.identity import canonical
from stresslab.results.lock import locked
from stresslab.results.manifest import Session, write_manifest
from stresslab.results.outcomes import outcome_frame
from stresslab.results.records import FAILED, Record
from stresslab.results.run import Run

RUNS = Path("runs")  # where runs lie unless the user says otherwise


@dataclass(frozen=True)
class Shard:
    """One of several parts of a study that different machines run: cells k, k + N, ..."""

    number: int  # from 1
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ConfigError(f"--shard: {self.number}/{self.of} is not between 1/N and N/N")

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``k/N``."""
        number, _, of = text.partition("/")
        if not (number.isdigit() and of.isdigit()):
            raise ConfigError(f"--shard: found {text!r}; expected k/N, such as 1/4")
        return cls(int(number), int(of))


@dataclass(frozen=True)
class Options:
    """How a study is run; nothing here changes a result."""

    workers: int | None = None  # one per core
    progress: Progress = field(default_factory=Silent)
    shard: Shard | None = None
    plugins: Sequence[str] = ()
    simulation: str = "stresslab.experiment.simulation:simulate"  # who runs a cell


def run_study(
    config: Config, out: str | os.PathLike[str] | None = None, options: Options | None = None
) -> Run:
    """Run every cell of a study that is not finished yet, and return the run.

    Finished cells are checked against their checksums and kept; damaged and failed ones are run
    again. Cells that fail are rows of the result, not errors.

    Parameters
    ----------
    config
        The checked study.
    out
        Folder of the run; ``runs/<name>`` unless given.
    options
        Workers, progress and the like.

    Raises
    ------
    ConfigError
        If the folder is in use, or belongs to another study.
    StorageError
        If results cannot be written.
    """
    options = options or Options()
    folder = RunFolder(Path(out) if out is not None else RUNS / config.name)
    plan = make_plan(config)
    folder.make()
    with locked(folder.path, str(options.shard or "")):
        _Running(config, plan, folder, options).run()
    return Run(folder.path)


class _Running:
    def __init__(self, config: Config, plan: Plan, folder: RunFolder, options: Options) -> None:
        self.config, self.plan, self.folder, self.options = config, plan, folder, options
        self.session = Session(workers=options.workers or available_cores())
        self.n_without_long = 0

    def run(self) -> None:
        self._refuse_other_study()
        self.folder.clear_temporary()
        self._write_inputs()
        tasks, n_finished = self._tasks()
        self.options.progress.begin(n_finished + len(tasks), n_finished)
        try:
            self._run_tasks(tasks)
        finally:
            write_manifest(self.folder, self.session, seed=self.config.seed)
        if self.options.shard is None:
            self._gather()

    def _refuse_other_study(self) -> None:
        if not self.folder.resolved.exists():
            return
        try:
            name = self.folder.read_resolved()["study"]["name"]
        except (DamagedResultsError, KeyError):
            return  # it is written anew below
        if name != self.config.name:
            raise ConfigError(
                f"{self.folder.path} holds the study {name!r}, not {self.config.name!r}; "
                "give --out another folder"
            )

    def _write_inputs(self) -> None:
        """Write what the run is made from; leave alone what is there already."""
        contents = {
            self.folder.resolved: (canonical(self.plan.resolved) + "\n").encode(),
            self.folder.design: parquet_bytes(design_frame(self.plan)),
            self.folder.config: config_text(self.plan).encode(),
        }
        for name, file in self.plan.files.items():
            contents[self.folder.path / name] = Path(file).read_bytes()
        for path, content in contents.items():
            if not path.exists() or path.read_bytes() != content:
                with storage_errors(path):
                    self.folder.checksums.unlink(missing_ok=True)
                write_whole(path, content)
        if not self.folder.checksums.exists():
            self.folder.write_checksums(iter(self._inputs()))

    def _inputs(self) -> list[Path]:
        data = [self.folder.path / name for name in sorted(self.plan.files)]
        return [self.folder.design, self.folder.resolved, *data]

    def _tasks(self) -> tuple[list[Task], int]:
        """Return the cells that are to be run, and how many are finished."""
        shard = self.options.shard or Shard(1, 1)
        cells = list(self.plan.replicates)[shard.number - 1 :: shard.of]
        tasks = [Task(cell, self._keeps_events(cell)) for cell in cells]
        missing = [task for task in tasks if not self._is_finished(task)]
        if self.n_without_long:
            text = f"{self.n_without_long} cells were made before long tables were kept"
            self.options.progress.note(f"{text}; they are run again")
        return missing, len(tasks) - len(missing)

    def _keeps_events(self, cell: str) -> bool:
        which = self.config.values["record"]["events"]
        is_first = self.plan.replicates[cell] == 0
        return which == "all" or (which == "first_replicate" and is_first)

    def _is_finished(self, task: Task) -> bool:
        try:
            record = self.folder.read_record(task.cell)
            if record is None or not record.is_done:
                return False
            self.folder.check(record)
            self.n_without_long += not record.long_sha256
            has_events = bool(record.events_sha256) or not task.keeps_events
            return has_events and bool(record.long_sha256)
        except DamagedResultsError as error:
            self.options.progress.note(str(error).partition(";")[0] + "; its cell is run again")
            return False

    def _run_tasks(self, tasks: list[Task]) -> None:
        if not tasks:
            return
        path = str(self.folder.path.resolve())
        simulation, plugins = self.options.simulation, list(self.options.plugins)
        setup = Setup(path, path, simulation, list(sys.path), plugins)
        self._tell_of_compiling()
        with Pool(setup, tasks, self.session.workers) as pool:
            for reply in pool.replies():
                self._take(reply)

    def _tell_of_compiling(self) -> None:
        choose_cache_folder(Path(__file__).parents[1])
        home = cache_folder()
        if self.options.simulation == Options.simulation and home and not is_rehearsed(home):
            text = "compiling first: half a minute, once for this installation"
            self.options.progress.note(text)

    def _take(self, reply: Reply | Death) -> None:
        if isinstance(reply, Death):
            self._bury(reply)
        elif reply.storage_error:
            raise StorageError(reply.storage_error)
        self.session.count(reply.cell, getattr(reply, "seconds", 0.0))
        self.options.progress.cell(failed=isinstance(reply, Death) or reply.failed)

    def _bury(self, death: Death) -> None:
        message = f"the worker process died {ATTEMPTS} times: {death.how}"
        self.options.progress.note(f"cell {death.cell}: {message}")
        self.folder.store(Record(death.cell, FAILED, error_type="WorkerDied", error=message))

    def _gather(self) -> None:
        """Make one table of all outcomes, and vouch for everything."""
        records = [self.folder.read_record(cell) for cell in self.plan.replicates]
        content = parquet_bytes(outcome_frame([r for r in records if r is not None]))
        write_whole(self.folder.outcomes, content)
        self.folder.write_checksums(iter([self.folder.outcomes, *self._inputs()]))


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
