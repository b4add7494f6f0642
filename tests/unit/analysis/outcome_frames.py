"""Outcomes frames written by hand."""

from __future__ import annotations

from typing import Any

import polars as pl


def cell(replicate: int, **values: Any) -> dict[str, Any]:
    """Return one row: design `response`, arm `cross`, control `feedback`, status `done`."""
    plain = {
        "design": "response",
        "point": 0,
        "fall": 0.1,
        "assets": "BTC",
        "arm": "cross",
        "control": "feedback",
        "replicate": replicate,
        "cell": f"{replicate:04x}",
        "status": "done",
    }
    return plain | values


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def arms(outcome: str, **samples: list[float | None]) -> pl.DataFrame:
    """Return a frame with one arm per keyword and one replicate per value."""
    return frame(
        *(
            cell(replicate, arm=arm, **{outcome: value})
            for arm, values in samples.items()
            for replicate, value in enumerate(values)
        )
    )
