"""Measures with a value per key of a run: per payer, strategy, pair of assets, indicator.

Those with one number a run stand in :data:`~stresslab.contagion.measures.MEASURES`. To add one,
write its function and one line in :data:`KEYED`; it then has intervals over replicates by the same
rule as all others (:func:`stresslab.analysis.replicates.over_replicates`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stresslab.contagion.columns import as_int, rows_of, sum_by
from stresslab.contagion.graph.communities import communities
from stresslab.contagion.graph.liquidations import liquidation_graph
from stresslab.contagion.graph.network import structure
from stresslab.contagion.graph.projections import strategies
from stresslab.contagion.indicators import INDICATORS
from stresslab.contagion.matrix import matrix_columns
from stresslab.contagion.measures.concentration import lorenz_columns
from stresslab.contagion.next_generation import generation_columns
from stresslab.contagion.payers import NONE, payments
from stresslab.contagion.price_network import account_standing
from stresslab.contagion.projection import Contagion

Columns = dict[str, np.ndarray]

#: Shares of accounts at which Lorenz curves are compared.
LORENZ_AT = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Keyed:
    """A measure with one row per key. ``absent``: value of a key that another run of the same has.

    0 where a missing row says that nothing was paid or sold; NaN where it says that there was
    nothing to measure.
    """

    keys: tuple[str, ...]
    values: tuple[str, ...]
    function: Callable[[Contagion], Columns]
    absent: float = math.nan


def payers(run: Contagion) -> Columns:
    """Return what strategies paid for the deficits of strategies, by road of the waterfall.

    ``payer`` is ``insurance_fund`` where the fund paid, ``debtor`` is ``everybody`` for what was
    kept back on withdrawal.
    """
    rows = payments(run)
    payer = _strategy_of(run, rows["payer"], "insurance_fund")
    debtor = _strategy_of(run, rows["debtor"], "everybody")
    names = [np.unique(column.astype(str), return_inverse=True)
             for column in (rows["road"], payer, debtor)]  # fmt: skip
    keys, sums = sum_by([place for _, place in names], rows["amount_micro_usd"])
    labels = [found[key].astype(object) for (found, _), key in zip(names, keys, strict=True)]
    return {"road": labels[0], "payer": labels[1], "debtor": labels[2], "paid_usd": sums / 1e6}


def debtrank(run: Contagion) -> Columns:
    """Return mean DebtRank impact and vulnerability through prices, by strategy."""
    ids, found = account_standing(run)
    return _means(
        _strategy_of(run, ids, ""), impact=found.impact, vulnerability=found.vulnerability
    )


def centrality(run: Contagion) -> Columns:
    """Return means over liquidations by strategy: Katz status (descendants) and core number."""
    found = structure(run)
    names = np.array(strategies(run), dtype=object)
    return _means(names, descendants=found.descendants, core=found.core.astype(np.float64))


def community_structure(run: Contagion) -> Columns:
    """Return the number of communities of liquidations, and the share of the largest; one row."""
    sizes = np.bincount(list(communities(liquidation_graph(run), "share").values()), minlength=1)
    n = int(sizes.sum())
    return {
        "communities": np.array([float(np.count_nonzero(sizes))]),
        "largest_share": np.array([sizes.max() / n if n else math.nan]),
    }


def hawkes(run: Contagion) -> Columns:
    """Return the branching ratio from times of first breaches alone; one row.

    NaN for fewer than 50 liquidations, or if all fall into one step.
    """
    from stresslab.contagion.hawkes import LEAST_EVENTS, fit_hawkes  # its kernels load numba

    times = as_int(run.liquidations["step"]) * run.step_seconds
    is_enough = len(times) >= LEAST_EVENTS and times.min() < times.max()
    return {"ratio": np.array([fit_hawkes(times).ratio if is_enough else math.nan])}


def lorenz(run: Contagion) -> Columns:
    """Return the Lorenz curve of losses at every tenth of the accounts; NaN if nobody lost."""
    columns = lorenz_columns(run)
    curve = np.interp(LORENZ_AT, columns["accounts_share"], columns["loss_share"])
    if not columns["loss_usd"].any():
        curve = np.full(len(LORENZ_AT), math.nan)
    return {"accounts_share": LORENZ_AT.round(1), "loss_share": curve}


def indicators(run: Contagion) -> Columns:
    """Return each early-warning indicator's highest value before the shock, and in the run."""
    paths = [function(run) for function in INDICATORS.values()]
    before = [path[: max(run.shock_row, 1)] for path in paths]
    return {
        "indicator": np.array(list(INDICATORS), dtype=object),
        "before_shock": np.array([float(path.max(initial=0.0)) for path in before]),
        "highest": np.array([float(path.max(initial=0.0)) for path in paths]),
    }


_ENTRY = ("cause_asset", "cause_side", "cause_mode", "asset", "side", "mode")

#: Name of each measure with a value per key.
KEYED: dict[str, Keyed] = {
    "payers": Keyed(("road", "payer", "debtor"), ("paid_usd",), payers, absent=0.0),
    "debtrank": Keyed(("strategy",), ("impact", "vulnerability"), debtrank),
    "centrality": Keyed(("strategy",), ("descendants", "core"), centrality),
    "communities": Keyed((), ("communities", "largest_share"), community_structure),
    "hawkes": Keyed((), ("ratio",), hawkes),
    "lorenz": Keyed(("accounts_share",), ("loss_share",), lorenz),
    "indicators": Keyed(("indicator",), ("before_shock", "highest"), indicators),
    "asset_matrix": Keyed(
        ("mode", "cause_asset", "asset"), ("notional_usd", "endogenous_usd"), matrix_columns, 0.0
    ),
    "next_generation": Keyed(_ENTRY, ("caused_usd",), generation_columns, absent=0.0),
}


def _strategy_of(run: Contagion, ids: np.ndarray, otherwise: str) -> np.ndarray:
    """Return the strategy of each account; ``otherwise`` where the id is none."""
    accounts = run.tables["accounts"]
    order = np.argsort(as_int(accounts["account"]))
    names = [*(str(name) for name in accounts["strategy"][order]), otherwise]
    rows = rows_of(as_int(ids), as_int(accounts["account"])[order])
    rows[as_int(ids) == NONE] = -1
    return np.array([names[row] for row in rows.tolist()], dtype=object)


def _means(names: np.ndarray, **values: np.ndarray) -> Columns:
    """Return the mean of each column by strategy, in order of name."""
    found, place = np.unique(names.astype(str), return_inverse=True)
    n = np.maximum(np.bincount(place, minlength=len(found)), 1)
    means = {name: np.bincount(place, column, len(found)) / n for name, column in values.items()}
    return {"strategy": found.astype(object), **means}
