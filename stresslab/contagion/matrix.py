"""Asset x asset matrices: whose price ate the margin, whose positions were sold for it."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.columns import MICRO_USD, exact_sum, usd
from stresslab.contagion.projection import Contagion

EXOGENOUS, ENDOGENOUS = 0, 1


def asset_matrix(run: Contagion, causes: str = "all", mode: str = "all") -> np.ndarray:
    """Return forced notional in USD by asset whose price did it and asset that was sold.

    Each liquidation's forced notional is laid to assets by its trigger shares.

    Parameters
    ----------
    run
        One run.
    causes
        ``all``; ``endogenous`` for price moves made by liquidations; ``exogenous`` for the rest.
    mode
        ``all``, or pools that are ``isolated`` or ``cross``.

    Returns
    -------
    (n_assets + 1, n_assets): row = cause, column = sold; the last row stands for causes that are
    no price move. With all causes a column sums to the asset's forced notional.
    """
    shares = _shares(run, causes) * _is_mode(run, mode)[:, np.newaxis]
    sold = run.forced_notional_by_asset
    matrix = np.zeros((run.n_assets + 1, run.n_assets))
    for cause in range(run.n_assets + 1):
        for asset in range(run.n_assets):
            matrix[cause, asset] = exact_sum(shares[:, cause] * sold[:, asset]) / MICRO_USD
    return matrix


def branching_matrix(run: Contagion, mode: str = "all") -> np.ndarray:
    """Return N[a, b]: notional of b that one unit of forced notional of a brings about.

    (n_assets, n_assets); NaN in rows of assets that nobody was forced to sell. ``mode`` chooses
    the pools that are brought down.
    """
    caused = asset_matrix(run, "endogenous", mode)[:-1]
    sold = np.array([usd(micro) for micro in run.forced_notional_by_asset.sum(axis=0)])
    whole = np.broadcast_to(sold[:, np.newaxis], caused.shape)
    return np.divide(caused, whole, out=np.full(caused.shape, np.nan), where=whole > 0)


def matrix_columns(run: Contagion) -> dict[str, np.ndarray]:
    """Return the matrices of both modes as one long table, one row per entry."""
    columns: dict[str, list] = {
        name: [] for name in ("mode", "cause_asset", "asset", "notional_usd", "endogenous_usd")
    }
    names = [*run.asset_names, "none"]
    for mode in ("isolated", "cross"):
        both = [asset_matrix(run, causes, mode) for causes in ("all", "endogenous")]
        for (cause, asset), notional in np.ndenumerate(both[0]):
            columns["mode"].append(mode)
            columns["cause_asset"].append(names[cause])
            columns["asset"].append(names[asset])
            columns["notional_usd"].append(notional)
            columns["endogenous_usd"].append(both[1][cause, asset])
    types = (object, object, object, np.float64, np.float64)
    return {
        name: np.array(values, dtype=kind)
        for (name, values), kind in zip(columns.items(), types, strict=True)
    }


def _shares(run: Contagion, causes: str) -> np.ndarray:
    if causes == "all":
        return run.asset_shares[:, EXOGENOUS] + run.asset_shares[:, ENDOGENOUS]
    return run.asset_shares[:, ENDOGENOUS if causes == "endogenous" else EXOGENOUS]


def _is_mode(run: Contagion, mode: str) -> np.ndarray:
    if mode == "all":
        return np.ones(len(run.ids), bool)
    return run.is_cross if mode == "cross" else ~run.is_cross
