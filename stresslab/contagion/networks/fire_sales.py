"""Losses that leveraged holders of the same assets do to each other by keeping their leverage.

Greenwood, Landier and Thesmar (2015), Vulnerable banks, Journal of Financial Economics 115,
471-485, section 2: one step, to first order, at the prices before the shock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.errors import StresslabError


class Vulnerability(NamedTuple):
    """What a shock does, in the unit of the holdings; shares are of equity."""

    direct_loss: np.ndarray  # (N,) on own holdings
    sales: np.ndarray  # (N,) that bring each holder back to its leverage
    price_fall: np.ndarray  # (K,) share of the price lost to all sales
    indirect_loss: np.ndarray  # (N,) on own holdings, by everybody's sales
    vulnerability: np.ndarray  # (N,) indirect loss over own equity
    systemicness: np.ndarray  # (N,) what its own sales cost all holders, over their equity


def vulnerable_banks(
    holdings: np.ndarray,
    equity: np.ndarray,
    debt: np.ndarray,
    shock: np.ndarray,
    illiquidity: np.ndarray,
    *,
    capped: bool = True,
) -> Vulnerability:
    """Return the vulnerability of holders who sell, pro rata, debt over equity times their loss.

    >>> two = vulnerable_banks([[100.0], [100.0]], [10.0, 20.0], [90.0, 80.0], [0.01], [1e-4])
    >>> two.sales.tolist(), round(float(two.price_fall[0]), 9)
    ([9.0, 4.0], 0.0013)

    Parameters
    ----------
    holdings : (N, K) value of each asset that can be sold, before the shock
    equity, debt : (N,) of each holder, before the shock; equity positive
    shock : (K,) share of its price that each asset loses
    illiquidity : (K,) share of its price that an asset loses for each unit of money sold
    capped : whether nobody sells more than it holds

    Raises
    ------
    StresslabError
        When shapes do not fit or an equity is not positive.
    """
    held, own, owed, fall, slope = (
        np.asarray(values, np.float64) for values in (holdings, equity, debt, shock, illiquidity)
    )
    _refuse_misfits(held, own, owed, fall, slope)
    worth = held.sum(axis=1)
    direct = held @ fall
    sales = direct * owed / own
    if capped:
        sales = np.minimum(sales, worth)
    weights = held / np.where(worth > 0, worth, 1.0)[:, None]
    falls = slope * (weights.T @ sales)
    indirect = held @ falls
    caused = sales * (weights @ (slope * held.sum(axis=0)))
    return Vulnerability(direct, sales, falls, indirect, indirect / own, caused / own.sum())


def _refuse_misfits(
    held: np.ndarray, own: np.ndarray, owed: np.ndarray, fall: np.ndarray, slope: np.ndarray
) -> None:
    n, k = held.shape if held.ndim == 2 else (-1, -1)
    if own.shape != (n,) or owed.shape != (n,) or fall.shape != (k,) or slope.shape != (k,):
        raise StresslabError(
            f"holdings {held.shape}, equity {own.shape}, debt {owed.shape}, shock {fall.shape} and "
            f"illiquidity {slope.shape} must be (N, K), (N,), (N,), (K,) and (K,)"
        )
    if np.any(own <= 0):
        raise StresslabError(f"equity {own.min():g} is not above 0; leverage has no meaning")
