"""What is wrong with a config: collected, ordered by place, raised once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stresslab.core.errors import ConfigError

Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """Where something is written: file (as the user named it), line and column, from 1.

    Line 0 means a source without lines: ``--set`` or a mapping given from Python.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, where, and at which path of the config."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.path, self.message) if part)


class ConfigFaults(ConfigError):
    """A config with faults; ``faults`` holds them all in the order of their places."""

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.faults = sorted(dict.fromkeys(faults))
        n_faults = len(self.faults)
        header = f"{source}: {n_faults} fault{'s' if n_faults > 1 else ''}"
        super().__init__("\n".join([header, *map(str, self.faults)]))


def dotted(path: Path) -> str:
    """Return a path as it is written in overrides and messages."""
    return ".".join(str(part) for part in path)
