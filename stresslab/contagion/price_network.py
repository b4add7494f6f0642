"""Who loses by whose liquidation, through prices alone, before the first step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int, rows_of
from stresslab.contagion.graph.exposures import depths_micro_usd
from stresslab.contagion.networks.impact import Standing, standing
from stresslab.contagion.projection import Contagion

MOVE = 0.01  # what closing a depth of notional does to a mark


class PriceNetwork(NamedTuple):
    """Accounts that hold something, in order of id."""

    account: np.ndarray  # (n,) ids
    losses_usd: np.ndarray  # (n, n) what the row loses when the column is closed, at least 0
    equity_usd: np.ndarray  # (n,)


def price_network(run: Contagion) -> PriceNetwork:
    """Return the losses that closing each account would bring the others by its price impact.

    Closing a notional q of an asset with depth D moves its mark by 1 % times q / D: those on the
    same side lose that part of their position, those on the other side gain. An account whose
    losses and gains balance out is not touched. Assets without depth in the first step are left
    out.

    References
    ----------
    Cont and Schaanning (2019), Monitoring indirect contagion, Journal of Banking and Finance 104,
    85-102: the matrix of liquidity-weighted overlaps of portfolios.
    """
    rows, accounts = run.tables["positions"], run.tables["accounts"]
    is_held = as_int(rows["initial_lots"]) != 0
    ids, place = np.unique(as_int(rows["account"])[is_held], return_inverse=True)
    signed = np.zeros((len(ids), run.n_assets))
    notional = as_int(rows["initial_notional_micro_usd"])[is_held] / MICRO_USD
    side = np.sign(as_int(rows["initial_lots"])[is_held])
    np.add.at(signed, (place, as_int(rows["asset"])[is_held]), side * notional)
    order = np.argsort(as_int(accounts["account"]))
    wealth = as_int(accounts["wealth_micro_usd"])[order]
    equity = wealth[rows_of(ids, as_int(accounts["account"])[order])] / MICRO_USD
    depth = depths_micro_usd(run) / MICRO_USD
    moved = np.divide(MOVE, depth, out=np.zeros(len(depth)), where=depth > 0)
    losses = np.maximum((signed * moved) @ signed.T, 0.0)
    np.fill_diagonal(losses, 0.0)
    return PriceNetwork(ids, losses, equity)


def account_standing(run: Contagion) -> tuple[np.ndarray, Standing]:
    """Return account ids, and each one's DebtRank impact and vulnerability through prices.

    Weights are shares of equity; accounts without positive equity are left out.
    """
    network = price_network(run)
    is_solvent = network.equity_usd > 0
    losses = network.losses_usd[np.ix_(is_solvent, is_solvent)]
    equity = network.equity_usd[is_solvent]
    weight = equity / equity.sum() if equity.size else equity
    return network.account[is_solvent], standing(losses, equity, weight)
