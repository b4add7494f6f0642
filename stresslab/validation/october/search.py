"""Fits the free numbers of the market to BTC and to timing, by a plain search that draws nothing.

``python -m stresslab.validation.october.search`` repeats it and prints every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from stresslab.validation.october.facts import Fact, facts
from stresslab.validation.october.market import PARAMETERS, changes_for, fitted, played
from stresslab.validation.october.moments import moments

REPLICATES = 4
SEED = 20251010
_NOTHING = 25.0  # squared distance of a moment that a run does not have


class Step(NamedTuple):
    """One set of values and how far its moments are from the facts."""

    values: Mapping[str, float]
    loss: float


def search(
    loss: Callable[[Mapping[str, float]], float],
    grids: Mapping[str, Sequence[float]],
    start: Mapping[str, float],
) -> Iterator[Step]:
    """Yield ever better values: one number at a time moves to its neighbours on the grid.

    It ends when no neighbour of any number is better (coordinate descent). Nothing is tried twice.
    """
    best = dict(start)
    known = {_key(best): loss(best)}
    yield Step(dict(best), known[_key(best)])
    is_better = True
    while is_better:
        is_better = False
        for name, grid in grids.items():
            for value in _neighbours(grid, best[name]):
                tried = {**best, name: value}
                if _key(tried) not in known:
                    known[_key(tried)] = loss(tried)
                if known[_key(tried)] < known[_key(best)]:
                    best, is_better = tried, True
                    yield Step(dict(best), known[_key(best)])


def _key(values: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(values.values())


def _neighbours(grid: Sequence[float], value: float) -> list[float]:
    place = min(range(len(grid)), key=lambda k: abs(grid[k] - value))
    return [grid[k] for k in (place - 1, place + 1) if 0 <= k < len(grid)]


def loss(values: Mapping[str, float]) -> float:
    """Return the mean squared distance of the calibrated moments, in half widths of their bands."""
    runs = [
        moments(played(SEED, replicate, changes_for(values))) for replicate in range(REPLICATES)
    ]
    return math.fsum(_squared(runs, fact) for fact in facts("calibration")) / len(
        facts("calibration")
    )


def _squared(runs: Sequence[Mapping[str, float]], fact: Fact) -> float:
    found = [run[fact.name] for run in runs if not math.isnan(run.get(fact.name, math.nan))]
    if not found:
        return _NOTHING
    distance = (math.fsum(found) / len(found) - (fact.low + fact.high) / 2) / (
        (fact.high - fact.low) / 2
    )
    return min(float(distance * distance), _NOTHING)


def main() -> None:
    """Search from the values of the config and print every better one."""
    grids = {each.name: each.values for each in PARAMETERS}
    for step in search(loss, grids, fitted()):
        told = "  ".join(f"{name} {value:g}" for name, value in step.values.items())
        print(f"{step.loss:8.3f}  {told}", flush=True)


if __name__ == "__main__":
    main()
