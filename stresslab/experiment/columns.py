"""Names of a design's columns: short ones for the paths that points vary."""

from __future__ import annotations

from collections.abc import Iterable

HEAD = ("design", "point", "arm", "control", "replicate", "cell")
_TAKEN = {*HEAD, "status", "error", "error_type"}


def column_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a column name for each path: its end, as short as it is unique.

    >>> column_names(["scenario.a.fall", "scenario.b.fall", "scenario.a.assets"])
    {'a.fall': 'scenario.a.fall', 'b.fall': 'scenario.b.fall', 'assets': 'scenario.a.assets'}
    """
    known = list(dict.fromkeys(paths))
    return {_short(path, known): path for path in known}


def _short(path: str, paths: list[str]) -> str:
    steps = path.split(".")
    for n_steps in range(1, len(steps)):
        name = ".".join(steps[-n_steps:])
        sharing = [p for p in paths if p.endswith(f".{name}")]
        if len(sharing) == 1 and name not in _TAKEN:
            return name
    return path
