"""Paired differences: the same people, wealth, positions and luck under another rule.

Replicates of two arms (or two controls) at one point are pairs; the difference of a pair is free of
what they share. ``variance_ratio`` is var(difference) / (var(first) + var(second)): what remains of
the variance that unpaired runs would have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.frames import column, finished, groups, keys, table
from stresslab.analysis.intervals import LEVEL

Pairs = list[tuple[float, float]]


def contrasts(
    frame: pl.DataFrame,
    outcomes: Sequence[str],
    first: str,
    second: str,
    side: str = "arm",
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return mean paired differences ``first - second`` with Student's interval.

    ``side`` is ``arm`` or ``control``: what the two names are names of. One row per design, point,
    other side and outcome in which both are present; ``n`` counts the pairs in which both are
    defined, ``n_undefined`` the other pairs.
    """
    by, rows = [name for name in keys(frame) if name != side], []
    both = finished(frame).filter(pl.col(side).is_in([first, second]))
    for key, cells in groups(both, by):
        if cells[side].n_unique() < 2:
            continue
        for outcome in outcomes:
            pairs, n_undefined = paired(cells, outcome, first, second, side)
            rows.append([*key, outcome, f"{first} - {second}", n_undefined, *_row(pairs, level)])
    texts = {"outcome": str, "contrast": str, "n_undefined": int, "n": int}
    names = ("difference", "low", "high", "mean_first", "mean_second", "variance_ratio")
    return table(frame, by, rows, {**texts, **dict.fromkeys(names, float)})


def paired(
    cells: pl.DataFrame, outcome: str, first: str, second: str, side: str
) -> tuple[Pairs, int]:
    """Return the pairs by replicate in which both are defined, and how many others there are."""
    sides = [
        dict(zip(part["replicate"].to_list(), column(part, outcome), strict=True))
        for part in (cells.filter(pl.col(side) == name) for name in (first, second))
    ]
    common = sorted(sides[0].keys() & sides[1].keys())
    pairs = [(sides[0][replicate], sides[1][replicate]) for replicate in common]
    defined = [pair for pair in pairs if not any(map(math.isnan, pair))]
    return defined, len(pairs) - len(defined)


def _row(pairs: Pairs, level: float) -> list[float | int | None]:
    differences = [a - b for a, b in pairs]
    means = [intervals.mean(v) for v in zip(*pairs, strict=True)] if pairs else [None] * 2
    return [
        len(pairs),
        *intervals.student(differences, level),
        *means,
        _ratio(*_variances(pairs)),
    ]


def _variances(pairs: Pairs) -> tuple[float, float]:
    """Return the variance of the differences and the sum of both variances."""
    if len(pairs) < 2:
        return 0.0, 0.0
    unpaired = math.fsum(intervals.variance(values) for values in zip(*pairs, strict=True))
    return intervals.variance([a - b for a, b in pairs]), unpaired


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def variance_reduction(
    frame: pl.DataFrame, outcomes: Sequence[str], first: str, second: str, side: str = "arm"
) -> pl.DataFrame:
    """Return how much pairing cut the variance of differences, by design and outcome.

    ``variance_ratio`` pools the points: the sum of var(difference) over the sum of var(first) +
    var(second); ``replicates_saved`` is its inverse, unpaired replicates that one pair is worth.
    """
    by, rows = [name for name in keys(frame) if name != side], []
    both = finished(frame).filter(pl.col(side).is_in([first, second]))
    for (design,), part in groups(both, ["design"]):
        for outcome in outcomes:
            found = [
                _variances(paired(cells, outcome, first, second, side)[0])
                for _, cells in groups(part, by)
            ]
            ratio = _ratio(math.fsum(p for p, _ in found), math.fsum(u for _, u in found))
            n = sum(unpaired > 0 for _, unpaired in found)
            rows.append(
                [design, outcome, f"{first} - {second}", n, ratio, 1 / ratio if ratio else None]
            )
    schema = {"outcome": str, "contrast": str, "points": int}
    floats = {"variance_ratio": float, "replicates_saved": float}
    return table(frame, ["design"], rows, {**schema, **floats})
