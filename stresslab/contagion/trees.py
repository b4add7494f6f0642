"""Cascade trees as columns: how many accounts, how much notional, at what loss."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.columns import as_int
from stresslab.contagion.forest import Forest


def sizes(
    forest: Forest, liquidations: dict[str, np.ndarray], notional: np.ndarray, loss: np.ndarray
) -> dict[str, np.ndarray]:
    """Return one row per cascade tree, in order of the root's id; money in exact micro-USD.

    ``liquidations`` is the table sorted by id, ``notional`` and ``loss`` (n_liquidations,) are what
    each was forced to trade and what that cost.
    """
    roots, tree = np.unique(forest.root, return_inverse=True)
    n = len(roots)
    pairs = np.unique(np.column_stack([tree, as_int(liquidations["account"])]), axis=0)
    return {
        "root": as_int(liquidations["liquidation"])[roots],
        "mode": np.array(liquidations["mode"][roots], dtype=object),
        "liquidations": np.bincount(tree, minlength=n),
        "accounts": np.bincount(pairs[:, 0], minlength=n),
        "notional_micro_usd": _sum(tree, notional, n),
        "loss_micro_usd": _sum(tree, loss, n),
        "depth": _highest(tree, forest.depth, n),
    }


def _sum(tree: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    sums = np.zeros(n, np.int64)
    np.add.at(sums, tree, values)
    return sums


def _highest(tree: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    highest = np.zeros(n, np.int64)
    np.maximum.at(highest, tree, values)
    return highest
