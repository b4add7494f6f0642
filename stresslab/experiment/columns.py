"""Columns of a design: short names of the paths that points vary, and their values as cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stresslab.results.identity import canonical

if TYPE_CHECKING:
    import polars as pl

    from stresslab.experiment.cells import Plan

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


def design_frame(plan: Plan) -> pl.DataFrame:
    """Return the design as a table: a row per place, a column per path that points vary.

    Lists of names become text such as ``BTC+ETH``; a path that a design does not vary is null.
    """
    import polars as pl

    head = {name: [getattr(place, name) for place in plan.places] for name in HEAD}
    schema = {"point": pl.Int64, "replicate": pl.Int64}
    columns = [pl.Series(n, v, dtype=schema.get(n, pl.String)) for n, v in head.items()]
    for name, path in plan.resolved["columns"].items():
        columns.append(_column(name, [place.values.get(path) for place in plan.places]))
    return pl.DataFrame(columns)


def _column(name: str, values: list[Any]) -> pl.Series:
    import polars as pl

    present = [v for v in values if v is not None]
    for kind, dtype in ((bool, pl.Boolean), (int, pl.Int64), ((int, float), pl.Float64)):
        if all(isinstance(v, kind) and isinstance(v, bool) == (kind is bool) for v in present):
            return pl.Series(name, values, dtype=dtype, strict=False)
    return pl.Series(name, [None if v is None else _text(v) for v in values], dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "+".join(value)
    return canonical(value)
