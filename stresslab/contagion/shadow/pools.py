"""Pools that were liquidated, each as it stood at its first breach."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import as_int, is_in, rows_of
from stresslab.contagion.projection import Contagion


class Pools(NamedTuple):
    """Pools that were liquidated, each at its first breach; (n_pools,) unless said otherwise."""

    liquidation: np.ndarray  # id of the first liquidation
    account: np.ndarray
    stage: np.ndarray  # place of the breach in the price path
    last: np.ndarray  # last place at which it is followed
    lots: np.ndarray  # (n_pools, n_assets) that it is followed with
    equity: np.ndarray  # micro-USD
    maintenance: np.ndarray  # micro-USD
    is_cross: np.ndarray
    is_emptied: np.ndarray  # its own orders had closed all it held
    is_original: np.ndarray  # it held what it had opened with


def first_breaches(run: Contagion, stages: np.ndarray) -> Pools:
    """Return every pool at its first breach, in order of liquidation.

    Whoever closed everything since the last judgement, and is short of what that fetched, has
    nothing left that a later price could save. He is followed with what he opened with, at the
    prices of the breach alone.
    """
    rows = run.liquidations
    pools = np.column_stack([as_int(rows["account"]), run.is_cross, as_int(rows["asset"])])
    first = np.sort(np.unique(pools, axis=0, return_index=True)[1])
    lots = _legs(run)[first]
    opened = _opened(run, first)
    is_emptied = ~lots.any(axis=1) & opened.any(axis=1) & _has_traded(run)[first]
    stage = np.searchsorted(stages, as_int(rows["stage"])[first])
    return Pools(
        liquidation=run.ids[first],
        account=as_int(rows["account"])[first],
        stage=stage,
        last=np.where(is_emptied, stage, stages.size - 1),
        lots=np.where(is_emptied[:, np.newaxis], opened, lots),
        equity=as_int(rows["equity_micro_usd"])[first],
        maintenance=as_int(rows["maintenance_micro_usd"])[first],
        is_cross=run.is_cross[first],
        is_emptied=is_emptied,
        is_original=(lots == opened).all(axis=1),
    )


def _legs(run: Contagion) -> np.ndarray:
    """Return lots held at the breach; (n_liquidations, n_assets)."""
    legs, lots = run.tables["breach_legs"], np.zeros((run.ids.size, run.n_assets), np.int64)
    place = rows_of(as_int(legs["liquidation"]), run.ids)
    lots[place, as_int(legs["asset"])] = as_int(legs["position_lots"])
    return lots


def _has_traded(run: Contagion) -> np.ndarray:
    """Return who traded between the last judgement and the breach; (n_liquidations,)."""
    amounts = run.tables["breach_amounts"]
    is_own = np.asarray(amounts["cause"] == "own_execution", bool)
    return is_in(run.ids, as_int(amounts["liquidation"])[is_own])


def _opened(run: Contagion, liquidations: np.ndarray) -> np.ndarray:
    """Return what pools held before the first step; (n, n_assets) for rows of liquidations."""
    rows, asset = run.tables["positions"], as_int(run.liquidations["asset"])[liquidations]
    accounts = np.unique(as_int(rows["account"]))
    place = rows_of(as_int(rows["account"]), accounts)
    both = np.zeros((2, accounts.size + 1, run.n_assets), np.int64)  # isolated, cross
    is_cross = np.asarray(rows["mode"] == "cross", bool).astype(np.int64)
    both[is_cross, place, as_int(rows["asset"])] = as_int(rows["initial_lots"])
    mine = rows_of(as_int(run.liquidations["account"])[liquidations], accounts)
    is_mine = (asset[:, np.newaxis] < 0) | (np.arange(run.n_assets) == asset[:, np.newaxis])
    return np.where(is_mine, both[run.is_cross[liquidations].astype(np.int64), mine], 0)
