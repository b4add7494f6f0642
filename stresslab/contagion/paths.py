"""Price paths of a run as step x asset arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, as_int
from stresslab.core.errors import InvariantError


class Paths(NamedTuple):
    """(n_steps, n_assets) each, but ``step`` (n_steps,); ticks and lots are exact."""

    step: np.ndarray
    index_price: np.ndarray
    mark_price: np.ndarray
    lowest_mark: np.ndarray
    bid_depth: np.ndarray
    open_interest: np.ndarray
    volume: np.ndarray
    forced: np.ndarray


def paths(tables: Tables) -> Paths:
    """Return the recorded paths; every step must have one row per asset."""
    rows, n_assets = tables["path"], len(tables["assets"]["asset"])
    order = np.lexsort((as_int(rows["asset"]), as_int(rows["step"])))
    steps = np.unique(as_int(rows["step"]))
    if len(order) != len(steps) * n_assets:
        raise InvariantError(
            f"path: {len(order)} rows, {len(steps)} steps of {n_assets} assets need one row each"
        )

    def grid(name: str) -> np.ndarray:
        return as_int(rows[name])[order].reshape(len(steps), n_assets)

    return Paths(
        step=steps,
        index_price=grid("index_ticks"),
        mark_price=grid("mark_ticks"),
        lowest_mark=grid("lowest_mark_ticks"),
        bid_depth=grid("bid_depth_lots"),
        open_interest=grid("open_interest_lots"),
        volume=grid("volume_lots"),
        forced=grid("forced_lots"),
    )


def shock_row(tables: Tables, path: Paths) -> int:
    """Return the first row of the path that a shock touches, 0 without a shock."""
    steps = tables["shocks"]["first_step"]
    return int(np.searchsorted(path.step, steps.min())) if len(steps) else 0
