"""Design points: every form of ``points`` becomes a list of {path: value}."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

from stresslab.experiment.faults import Path
from stresslab.experiment.sobol import sobol_unit

Valued = dict[str, tuple[Any, Path]]  # path -> value and where it is written inside `points`


def written_points(points: dict[str, Any], seed: int) -> list[Valued]:
    """Return the points of a sound ``points`` block, in the order of the design."""
    for form, read in _FORMS.items():
        if points.get(form) is not None:
            return read(points[form], seed)
    return [{}]


def _grid(grid: dict[str, list[Any]], seed: int) -> list[Valued]:
    columns = [_column("grid", path, values) for path, values in grid.items()]
    return [dict(point) for point in itertools.product(*columns)]


def _zip(paths: dict[str, list[Any]], seed: int) -> list[Valued]:
    columns = [_column("zip", path, values) for path, values in paths.items()]
    return [dict(point) for point in zip(*columns, strict=True)]


def _column(form: str, path: str, values: list[Any]) -> list[tuple[str, tuple[Any, Path]]]:
    return [(path, (value, (form, path, place))) for place, value in enumerate(values)]


def _list(points: list[dict[str, Any]], seed: int) -> list[Valued]:
    return [
        {path: (value, ("list", place, path)) for path, value in point.items()}
        for place, point in enumerate(points)
    ]


def _latin_hypercube(sample: dict[str, Any], seed: int) -> list[Valued]:
    columns = [_stratified(sample["samples"], seed, path) for path in sample["ranges"]]
    return _scaled("latin_hypercube", sample, columns)


def _stratified(n_samples: int, seed: int, path: str) -> list[float]:
    """Return one draw from each of n equal intervals, in an order of its own for each path.

    Only ``Random.random`` is used: it is the one method that never changes between versions.
    """
    draws = random.Random(f"latin hypercube/{seed}/{path}")
    keys = [draws.random() for _ in range(n_samples)]
    order = sorted(range(n_samples), key=keys.__getitem__)
    return [(place + draws.random()) / n_samples for place in order]


def _sobol(sample: dict[str, Any], seed: int) -> list[Valued]:
    return _scaled("sobol", sample, sobol_unit(sample["samples"], len(sample["ranges"])))


def _scaled(form: str, sample: dict[str, Any], columns: list[list[float]]) -> list[Valued]:
    ranges = sample["ranges"].items()
    return [
        {
            path: (_between(r, column[place]), (form, "ranges", path))
            for (path, r), column in zip(ranges, columns, strict=True)
        }
        for place in range(sample["samples"])
    ]


def _between(interval: dict[str, Any], share: float) -> float:
    low, high = interval["low"], interval["high"]
    if interval["scale"] == "linear":
        return low + share * (high - low)
    value = math.exp(math.log(low) + share * math.log(high / low))
    return float(f"{value:.12g}")  # exp and log differ in the last digits between machines


_FORMS: dict[str, Callable[[Any, int], list[Valued]]] = {
    "grid": _grid,
    "zip": _zip,
    "list": _list,
    "latin_hypercube": _latin_hypercube,
    "sobol": _sobol,
}
