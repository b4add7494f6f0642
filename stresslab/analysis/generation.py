"""The next-generation matrix over replicates: a ratio of sums, with an interval of its radius."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from stresslab.analysis.intervals import LEVEL, UNDEFINED, Interval, bootstrap
from stresslab.contagion.next_generation import Generations, next_generation, radius

_CAUSE = ("cause_asset", "cause_side", "cause_mode")
_EFFECT = ("asset", "side", "mode")


def next_generation_matrix(rows: pl.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the types that were forced, as words, and N over all cells of a long table.

    Parameters
    ----------
    rows
        The long table ``next_generation`` of some cells, such as the replicates of one point.
    """
    names, sums = _sums(rows)
    return names, next_generation(_whole(sums))


def spectral_radius(rows: pl.DataFrame, level: float = LEVEL) -> Interval:
    """Return the spectral radius over all cells with its bootstrap interval over cells."""
    _, sums = _sums(rows)
    if not sums:
        return UNDEFINED

    def of_cells(places: Sequence[float]) -> float:
        return radius(_whole([sums[int(place)] for place in places]))

    return bootstrap([float(place) for place in range(len(sums))], level, of_cells)


def _sums(rows: pl.DataFrame) -> tuple[list[str], list[Generations]]:
    """Return the types, and the sums of each cell in order."""
    if not rows.height:
        return [], []
    named = rows.with_columns(
        cause=pl.concat_str(_CAUSE, separator=" "), effect=pl.concat_str(_EFFECT, separator=" ")
    )
    names = sorted({*named["cause"].to_list(), *named["effect"].to_list()})
    place = {name: number for number, name in enumerate(names)}
    cells = {cell: Generations(np.zeros((len(names), len(names))), np.zeros(len(names)))
             for cell in named["cell"].unique(maintain_order=True)}  # fmt: skip
    columns = ("cell", "cause", "effect", "caused_usd", "forced_usd")
    for cell, cause, effect, caused, forced in named.select(columns).iter_rows():
        cells[cell].caused[place[cause], place[effect]] += caused
        if cause == effect:
            cells[cell].forced[place[cause]] += forced
    return names, list(cells.values())


def _whole(sums: Sequence[Generations]) -> Generations:
    if not sums:
        return Generations(np.zeros((0, 0)), np.zeros(0))
    return Generations(*(np.sum([part[k] for part in sums], axis=0) for k in range(2)))
