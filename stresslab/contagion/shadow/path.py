"""The realised path of prices and requirements, stage by stage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import as_int
from stresslab.contagion.projection import Contagion


class Path(NamedTuple):
    """Stages with moves or breaches, in order."""

    stages: np.ndarray  # (n_stages,) ids
    steps: np.ndarray  # (n_stages,)
    marks: np.ndarray  # (n_stages, n_assets) after each, ticks


def price_path(run: Contagion) -> Path:
    """Return stages with moves or breaches, their steps, and marks after each."""
    moves = run.tables["price_moves"]
    breaches = run.liquidations
    steps_of = {name: as_int(rows["step"]) for name, rows in (("m", moves), ("b", breaches))}
    both = np.concatenate([as_int(moves["stage"]), as_int(breaches["stage"])])
    stages, first = np.unique(both, return_index=True)
    marks = np.zeros((stages.size, run.n_assets), np.int64)
    place = np.searchsorted(stages, as_int(moves["stage"]))
    change = as_int(moves["to_ticks"]) - as_int(moves["from_ticks"])
    np.add.at(marks, (place, as_int(moves["asset"])), change)
    marks = run.initial_prices + np.cumsum(marks, axis=0)
    return Path(stages, np.concatenate([steps_of["m"], steps_of["b"]])[first], marks)


def add_ons(run: Contagion, steps: np.ndarray) -> np.ndarray:
    """Return what was added to maintenance rates at each stage; (n_stages, n_assets)."""
    rows, found = run.tables["requirements"], np.zeros((steps.size, run.n_assets))
    for a in np.unique(as_int(rows["asset"])).tolist():
        mine = np.flatnonzero(as_int(rows["asset"]) == a)
        since = np.searchsorted(as_int(rows["step"])[mine], steps, side="right") - 1
        found[:, a] = np.asarray(rows["maintenance_add_on"], float)[mine][np.maximum(since, 0)]
    return found
