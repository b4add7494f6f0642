"""A design as a table: what points vary, and the values as cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stresslab.experiment.cells import Plan
from stresslab.experiment.columns import HEAD
from stresslab.results.identity import canonical

if TYPE_CHECKING:
    import polars as pl


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
