"""Equities after a shock, when claims are worth what their debtors' equity says.

All are fixed points of ``E_i = E0_i - s_i - sum_j A_ij (1 - V_j(E_j))`` with a valuation ``V`` of
claims between 0 and 1 (Barucca, Bardoscia, Caccioli, D'Errico, Visentin, Caldarelli and Battiston
2020, "Network valuation in financial systems", eq. 8). The largest solution is taken: iterating
from above falls to it, since every ``V`` rises with equity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stresslab.core.errors import StresslabError

Valuation = Callable[[np.ndarray], np.ndarray]  # equities -> value of a claim on each, per unit

_CLOSE = 1e-14  # of the largest equity: nearer than what is asked of any result
_MOST_ROUNDS = 1_000_000


def revalued(
    exposures: np.ndarray, equity: np.ndarray, shock: np.ndarray, valuation: Valuation
) -> np.ndarray:
    """Return equities after a shock, shape ``(n,)``, in the unit of ``equity``.

    Parameters
    ----------
    exposures : (n, n) claim of row on column, at face value
    equity : (n,) before the shock
    shock : (n,) loss on assets outside the network
    valuation : value of one unit of claim on each, between 0 and 1, rising with equity

    Raises
    ------
    StresslabError
        When shapes do not fit, exposures are negative, or the iteration does not settle.
    """
    claims, before, loss = _checked(exposures, equity, shock)
    after = before - loss
    close = _CLOSE * max(1.0, np.max(np.abs(before), initial=0.0))
    for _ in range(_MOST_ROUNDS):
        new = before - loss - claims @ (1.0 - valuation(after))
        if np.max(np.abs(new - after), initial=0.0) <= close:
            return new
        after = new
    raise StresslabError(
        f"equities do not settle in {_MOST_ROUNDS} rounds; the network is critical"
    )


def _checked(*given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    claims, before, loss = (np.asarray(values, np.float64) for values in given)
    n = before.size
    if claims.shape != (n, n) or before.shape != (n,) or loss.shape != (n,):
        raise StresslabError(
            f"exposures {claims.shape}, equity {before.shape} and shock {loss.shape} must be "
            "(n, n), (n,) and (n,)"
        )
    if not (np.isfinite(claims).all() and (claims >= 0).all()):
        raise StresslabError("exposures must be finite and not negative")
    return claims, before, loss


def linear_debtrank(exposures: np.ndarray, equity: np.ndarray, shock: np.ndarray) -> np.ndarray:
    """Return equities when claims lose value in proportion to the debtor's lost equity.

    ``V_j = min(1, max(0, E_j / E0_j))`` (Bardoscia et al. 2015, eq. 8).
    """
    before = np.asarray(equity, np.float64)
    if (before <= 0).any():
        raise StresslabError("equity before the shock must be above 0 for DebtRank")
    return revalued(exposures, before, shock, lambda e: np.clip(e / before, 0.0, 1.0))


def furfine(
    exposures: np.ndarray, equity: np.ndarray, shock: np.ndarray, recovery: float = 0.0
) -> np.ndarray:
    """Return equities when a claim keeps its face value until its debtor's equity is negative.

    From then on it is worth ``recovery`` of it (Furfine 2003).
    """
    return revalued(exposures, equity, shock, lambda e: np.where(e < 0, recovery, 1.0))


def eisenberg_noe(
    exposures: np.ndarray, equity: np.ndarray, shock: np.ndarray, liabilities: np.ndarray
) -> np.ndarray:
    """Return equities when debtors pay all creditors pro rata out of what they have.

    ``V_j = min(1, max(0, (E_j + p_j) / p_j))`` with ``p_j`` all that ``j`` owes, inside and outside
    the network (Eisenberg and Noe 2001, in the form of Barucca et al. 2020, eq. 16).

    Parameters
    ----------
    liabilities : (n,) all that each owes, above 0
    """
    owed = np.asarray(liabilities, np.float64)
    if (owed <= 0).any():
        raise StresslabError("liabilities must be above 0; leave out who owes nothing")
    return revalued(exposures, equity, shock, lambda e: np.clip((e + owed) / owed, 0.0, 1.0))
