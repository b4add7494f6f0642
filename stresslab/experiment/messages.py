"""What a run and its workers tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Setup:
    """What every cell of a worker shares; sent once."""

    folder: str  # whose resolved.json and data files are read
    out: str  # folder of the run that is written
    simulation: str  # module:name of the function that runs a cell
    search_path: list[str]
    plugins: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """One cell to run."""

    cell: str
    keeps_events: bool


@dataclass(frozen=True)
class Reply:
    """What became of a task. ``storage_error`` means that it ran but could not be stored."""

    cell: str
    failed: bool = False
    seconds: float = 0.0
    traceback: str = ""
    storage_error: str = ""
