"""A toy study for tests of the runner, and what tests look at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stresslab.experiment.config import Config, read_config
from stresslab.experiment.runner import Options, run_study
from stresslab.results.run import Run
from tests.toy_scenario import ToyScenario

SIMULATION = "tests.toy_simulation:simulate"
FALL = "scenario.shocks.first.fall"

#: Files that may differ between equal runs: times and platform, and who holds the folder.
OUTSIDE_THE_CONTRACT = {"manifest.json", ".lock"}


class Told:
    """Remembers what a run told."""

    def __init__(self) -> None:
        self.finished_before = -1
        self.cells: list[bool] = []
        self.notes: list[str] = []

    def begin(self, total: int, finished: int) -> None:
        self.total, self.finished_before = total, finished

    def cell(self, failed: bool) -> None:
        self.cells.append(failed)

    def note(self, text: str) -> None:
        self.notes.append(text)


def study(falls: tuple[float, ...] = (0.1, 0.3), **changes: Any) -> dict[str, Any]:
    """Return a config of ``len(falls)`` points x 2 arms x 2 replicates."""
    design = {
        "replicates": 2,
        "arms": {"cross": {}, "isolated": {"scenario.traders.levered.mode": "isolated"}},
        "points": {"grid": {FALL: list(falls)}},
    }
    scenario = {
        "duration_seconds": 20.0,  # milliseconds that a toy run takes
        "assets": {"ETH": {"price_usd": 50.0}, "BTC": {"price_usd": 100.0}},
        "shocks": {"first": {"assets": ["BTC"], "fall": 0.2}},
        "traders": {"levered": {"count": 50}},
    }
    base = {"name": "toy", "seed": 7, "scenario": scenario, "designs": {"response": design}}
    return {**base, **changes}


def config(values: Mapping[str, Any] | None = None, *settings: str) -> Config:
    """Check a toy config."""
    return read_config(values or study(), settings, scenario=ToyScenario)


def run(out: Path, values: Mapping[str, Any] | None = None, **options: Any) -> Run:
    """Run a toy study."""
    return run_study(config(values), out, Options(simulation=SIMULATION, **options))


def contents(out: Path) -> dict[str, bytes]:
    """Return every file of a run that the byte contract covers."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in files
        if path.name.partition("-")[0] not in OUTSIDE_THE_CONTRACT
    }


def workers_of(parent: int) -> list[int]:
    """Return the worker processes that a process started, from ``/proc``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        is_alive = status[0] != "Z"
        if b"stresslab.experiment.worker" in command and int(status[1]) == parent and is_alive:
            found.append(int(folder.name))
    return found


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
