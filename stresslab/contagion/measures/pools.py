"""How pools of either mode fared: liquidations, forced notional, cost, outcome."""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.columns import as_int, ratio, usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def n_isolated(run: Contagion) -> int:
    """Count liquidations of isolated pools."""
    return int((~run.is_cross).sum())


def n_cross(run: Contagion) -> int:
    """Count liquidations of cross pools."""
    return int(run.is_cross.sum())


def notional_isolated(run: Contagion) -> float:
    """Return the notional of forced fills of isolated pools."""
    return usd(run.forced.notional[~run.forced.is_cross].sum())


def notional_cross(run: Contagion) -> float:
    """Return the notional of forced fills of cross pools."""
    return usd(run.forced.notional[run.forced.is_cross].sum())


def loss_isolated(run: Contagion) -> float:
    """Return what forced closing cost isolated pools: execution off the mark, fees, penalties."""
    return usd(run.forced.loss[~run.forced.is_cross].sum())


def loss_cross(run: Contagion) -> float:
    """Return what forced closing cost cross pools: execution off the mark, fees, penalties."""
    return usd(run.forced.loss[run.forced.is_cross].sum())


def n_restored(run: Contagion) -> int:
    """Count liquidations that restored the pool."""
    return _count(run, "restored")


def n_closed(run: Contagion) -> int:
    """Count liquidations that closed the whole pool, solvent."""
    return _count(run, "closed")


def n_late(run: Contagion) -> int:
    """Count liquidations that would not be, had all value in flight between chains arrived."""
    late, rows = run.tables["late_value"], run.liquidations
    ids = as_int(late["liquidation"])
    place = np.searchsorted(as_int(rows["liquidation"]), ids)
    missing = as_int(rows["maintenance_micro_usd"]) - as_int(rows["equity_micro_usd"])
    return int(np.count_nonzero(as_int(late["in_flight_micro_usd"]) >= missing[place]))


def n_bankrupt(run: Contagion) -> int:
    """Count liquidations that closed the whole pool and left a deficit."""
    return _count(run, "bankrupt")


def n_open(run: Contagion) -> int:
    """Count pools still in breach at the end."""
    return _count(run, "open")


def _count(run: Contagion, outcome: str) -> int:
    return int(np.count_nonzero(run.liquidations["outcome"] == outcome))


def n_accounts_bankrupt(run: Contagion) -> int:
    """Count accounts with at least one bankrupt pool."""
    is_bankrupt = np.asarray(run.liquidations["outcome"] == "bankrupt", dtype=bool)
    return len(np.unique(run.liquidations["account"][is_bankrupt]))


def share_cross_initial(run: Contagion) -> float:
    """Return the share of initial notional that was held in cross pools; NaN without positions."""
    rows = run.tables["positions"]
    notional = as_int(rows["initial_notional_micro_usd"])
    cross = notional[np.asarray(rows["mode"] == "cross", dtype=bool)]
    return ratio(int(cross.sum()), int(notional.sum()))


def mean_notional(run: Contagion) -> float:
    """Return forced notional per account liquidated; NaN without one."""
    n = len(np.unique(run.liquidations["account"]))
    return usd(run.forced.notional.sum()) / n if n else math.nan


MEASURES = (
    Measure("n_liquidations_isolated", "liquidations", "Isolated pools liquidated", n_isolated),
    Measure("n_liquidations_cross", "liquidations", "Cross pools liquidated", n_cross),
    Measure(
        "forced_notional_isolated_usd",
        "USD",
        "Forced notional of isolated pools",
        notional_isolated,
    ),
    Measure("forced_notional_cross_usd", "USD", "Forced notional of cross pools", notional_cross),
    Measure("loss_isolated_usd", "USD", "Cost of forced closing in isolated pools", loss_isolated),
    Measure("loss_cross_usd", "USD", "Cost of forced closing in cross pools", loss_cross),
    Measure("n_restored", "liquidations", "Liquidations that restored the pool", n_restored),
    Measure("n_closed", "liquidations", "Liquidations that closed the whole pool", n_closed),
    Measure("n_bankrupt", "liquidations", "Liquidations that left a deficit", n_bankrupt),
    Measure("n_open", "liquidations", "Liquidations cut short by the end", n_open),
    Measure("n_accounts_bankrupt", "accounts", "Accounts bankrupt", n_accounts_bankrupt),
    Measure(
        "n_liquidations_late",
        "liquidations",
        "Liquidations caused by the lateness of transfers alone",
        n_late,
    ),
    Measure(
        "share_cross_initial", "1", "Share of initial notional under cross", share_cross_initial
    ),
    Measure(
        "forced_notional_per_account_usd",
        "USD",
        "Forced notional per account liquidated",
        mean_notional,
    ),
)
