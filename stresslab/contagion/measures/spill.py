"""What a shock to some assets does to the others: forced notional in assets that no shock named.

Two roads are told apart: the other positions of accounts that held a shocked asset before the first
step (shared collateral), and accounts that never held one (prices). Only forced orders from the
first step of the first shock on count. A run without a shock has no spill.
"""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.columns import is_in, ratio, usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def notional_shocked(run: Contagion) -> float:
    """Return forced notional in shocked assets."""
    return usd(run.forced.notional[run.is_shocked[run.forced.asset]].sum())


def same_accounts(run: Contagion) -> float:
    """Return forced notional in unshocked assets of accounts that held a shocked one."""
    return usd(run.forced.notional[_is_same(run)].sum())


def other_accounts(run: Contagion) -> float:
    """Return forced notional in unshocked assets of accounts that never held a shocked one."""
    return usd(run.forced.notional[_is_other(run)].sum())


def n_same_accounts(run: Contagion) -> int:
    """Count accounts of the first kind."""
    return len(np.unique(run.forced.account[_is_same(run)]))


def n_other_accounts(run: Contagion) -> int:
    """Count accounts of the second kind."""
    return len(np.unique(run.forced.account[_is_other(run)]))


def crossed(run: Contagion) -> float:
    """Return 1 if anything was force-sold in an unshocked asset, else 0.

    NaN where the question is empty: no asset is shocked, or all are.
    """
    if run.is_shocked.all() or not run.is_shocked.any():
        return math.nan
    return float(bool(run.forced.notional[_is_spill(run)].any()))


def crossed_to_others(run: Contagion) -> float:
    """Return 1 if it reached accounts that never held a shocked asset, else 0; NaN as above."""
    if run.is_shocked.all() or not run.is_shocked.any():
        return math.nan
    return float(bool(run.forced.notional[_is_other(run)].any()))


def share_holders_liquidated(run: Contagion) -> float:
    """Return the share of accounts that held a shocked asset which were liquidated."""
    return _share_liquidated(run, run.shocked_holders)


def share_others_liquidated(run: Contagion) -> float:
    """Return the share of accounts that held no shocked asset which were liquidated."""
    accounts = np.unique(run.tables["accounts"]["account"])
    return _share_liquidated(run, accounts[~is_in(accounts, run.shocked_holders)])


def _share_liquidated(run: Contagion, accounts: np.ndarray) -> float:
    liquidated = is_in(accounts, np.unique(run.liquidations["account"]))
    return ratio(int(liquidated.sum()), len(accounts))


def _is_spill(run: Contagion) -> np.ndarray:
    """Tell which forced orders filled in an unshocked asset once the shock had begun."""
    if not run.is_shocked.any():
        return np.zeros(len(run.forced.asset), bool)
    since = int(run.tables["shocks"]["first_step"].min())
    is_unshocked = ~run.is_shocked[run.forced.asset]
    return is_unshocked & (run.forced.step >= since) & (run.forced.notional > 0)


def _is_same(run: Contagion) -> np.ndarray:
    return _is_spill(run) & is_in(run.forced.account, run.shocked_holders)


def _is_other(run: Contagion) -> np.ndarray:
    return _is_spill(run) & ~is_in(run.forced.account, run.shocked_holders)


MEASURES = (
    Measure(
        "forced_notional_shocked_usd",
        "USD",
        "Forced notional in shocked assets",
        notional_shocked,
    ),
    Measure(
        "spill_same_accounts_usd",
        "USD",
        "Forced notional in unshocked assets, accounts that held a shocked one",
        same_accounts,
    ),
    Measure(
        "spill_other_accounts_usd",
        "USD",
        "Forced notional in unshocked assets, accounts that held no shocked one",
        other_accounts,
    ),
    Measure(
        "n_spill_same_accounts",
        "accounts",
        "Accounts force-sold in unshocked assets that held a shocked one",
        n_same_accounts,
    ),
    Measure(
        "n_spill_other_accounts",
        "accounts",
        "Accounts force-sold in unshocked assets that held no shocked one",
        n_other_accounts,
    ),
    Measure("crossed", "1", "Whether liquidation crossed into an unshocked asset", crossed),
    Measure(
        "crossed_to_others",
        "1",
        "Whether it crossed to accounts that held no shocked asset",
        crossed_to_others,
    ),
    Measure(
        "share_holders_liquidated",
        "1",
        "Share of holders of a shocked asset liquidated",
        share_holders_liquidated,
    ),
    Measure(
        "share_others_liquidated",
        "1",
        "Share of other accounts liquidated",
        share_others_liquidated,
    ),
)
