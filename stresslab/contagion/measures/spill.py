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

#: Forced notional above this share of the open interest of unshocked assets has crossed.
MATERIAL_SHARE = 0.001


def notional_shocked(run: Contagion) -> float:
    """Return forced notional in shocked assets."""
    return usd(run.forced.notional[run.is_shocked[run.forced.asset]].sum())


def same_accounts(run: Contagion) -> float:
    """Return forced notional in unshocked assets of accounts that held a shocked one."""
    return usd(run.forced.notional[run.spill.same].sum())


def other_accounts(run: Contagion) -> float:
    """Return forced notional in unshocked assets of accounts that never held a shocked one."""
    return usd(run.forced.notional[run.spill.other].sum())


def n_same_accounts(run: Contagion) -> int:
    """Count accounts of the first kind."""
    return len(np.unique(run.forced.account[run.spill.same]))


def n_other_accounts(run: Contagion) -> int:
    """Count accounts of the second kind."""
    return len(np.unique(run.forced.account[run.spill.other]))


def spill_share(run: Contagion) -> float:
    """Return forced notional in unshocked assets over their open interest at the start.

    NaN where the question is empty: no asset is shocked, or all are.
    """
    return _over_open_interest(run, run.spill.same | run.spill.other)


def crossed(run: Contagion) -> float:
    """Return 1 if liquidation crossed into unshocked assets, else 0; NaN as above.

    It crossed if what was force-sold there exceeds 0.1 % of their open interest: somebody is always
    liquidated somewhere.
    """
    return _exceeds(spill_share(run))


def crossed_to_others(run: Contagion) -> float:
    """Return 1 if the part of accounts that never held a shocked asset exceeds that alone."""
    return _exceeds(_over_open_interest(run, run.spill.other))


def _over_open_interest(run: Contagion, is_sold: np.ndarray) -> float:
    if not run.is_shocked.any():
        return math.nan
    open_interest = usd(run.initial_open_interest[~run.is_shocked].sum())
    return ratio(usd(run.forced.notional[is_sold].sum()), open_interest)


def _exceeds(share: float) -> float:
    return share if math.isnan(share) else float(share > MATERIAL_SHARE)


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
    Measure(
        "spill_share", "1", "Forced notional over open interest in unshocked assets", spill_share
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
