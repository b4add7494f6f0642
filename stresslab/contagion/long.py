"""Long tables of one run, for figures that need more than one number a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int, is_in, usd
from stresslab.contagion.matrix import matrix_columns
from stresslab.contagion.measures.losses import waterfall_micro_usd
from stresslab.contagion.next_generation import generation_columns
from stresslab.contagion.projection import Contagion

__all__ = [
    "LONG_TABLES",
    "generation_columns",
    "liquidation_sizes",
    "long_tables",
    "matrix_columns",
    "modes",
    "strategies",
    "waterfall",
]

Columns = dict[str, np.ndarray]


def liquidation_sizes(run: Contagion) -> Columns:
    """Return accounts, liquidations, notional and loss per cascade tree."""
    sizes = dict(run.trees)
    for name in ("notional", "loss"):
        sizes[f"{name}_usd"] = sizes.pop(f"{name}_micro_usd") / MICRO_USD
    return sizes


def waterfall(run: Contagion) -> Columns:
    """Return the loss by who bears it, `total` last; the parts sum exactly to it."""
    parts = waterfall_micro_usd(run)
    return {
        "part": np.array(list(parts), dtype=object),
        "loss_micro_usd": np.array(list(parts.values()), dtype=np.int64),
        "loss_usd": np.array([usd(micro) for micro in parts.values()]),
    }


def strategies(run: Contagion) -> Columns:
    """Return accounts and accounts liquidated by strategy, in order of name."""
    accounts = run.tables["accounts"]
    names, group = np.unique(np.asarray(accounts["strategy"], dtype=str), return_inverse=True)
    is_liquidated = is_in(accounts["account"], run.liquidations["account"])
    liquidated = np.bincount(group[is_liquidated], minlength=len(names))
    n = np.bincount(group, minlength=len(names))
    return {
        "strategy": names.astype(object),
        "accounts": n,
        "liquidated": liquidated,
        "share": np.divide(liquidated, n, out=np.zeros(len(n)), where=n > 0),
    }


def modes(run: Contagion) -> Columns:
    """Return liquidations, forced notional, its cost and deficits by margin mode."""
    waterfall_rows = run.tables["waterfall"]
    columns: dict[str, list] = {"liquidations": [], "notional_usd": [], "loss_usd": []}
    columns["deficit_usd"] = []
    for mode in ("isolated", "cross"):
        is_pool = np.asarray(run.liquidations["mode"] == mode, dtype=bool)
        is_deficit = np.asarray(waterfall_rows["mode"] == mode, dtype=bool)
        columns["liquidations"].append(int(is_pool.sum()))
        columns["notional_usd"].append(usd(run.forced_notional[is_pool].sum()))
        columns["loss_usd"].append(usd(run.forced_loss[is_pool].sum()))
        deficit = as_int(waterfall_rows["deficit_micro_usd"])[is_deficit]
        columns["deficit_usd"].append(usd(deficit.sum()))
    mode_names = np.array(["isolated", "cross"], dtype=object)
    return {"mode": mode_names, **{name: np.array(values) for name, values in columns.items()}}


#: Name of each long table and the function that gives it.
LONG_TABLES: dict[str, Callable[[Contagion], Columns]] = {
    "liquidation_sizes": liquidation_sizes,
    "waterfall": waterfall,
    "asset_matrix": matrix_columns,
    "next_generation": generation_columns,
    "strategies": strategies,
    "modes": modes,
}


def long_tables(run: Contagion) -> dict[str, Columns]:
    """Return every long table of one run."""
    return {name: table(run) for name, table in LONG_TABLES.items()}
