"""How unequally accounts lose."""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.columns import MICRO_USD
from stresslab.contagion.measures.losses import account_losses_micro_usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion


def gini(values: np.ndarray) -> float:
    """Return the Gini coefficient of whole numbers that are not negative; NaN if all are 0.

    0 where all are equal, ``(n - 1) / n`` where one has everything.

    >>> gini(np.array([0, 0, 0, 8])), gini(np.array([5, 5]))
    (0.75, 0.0)

    References
    ----------
    Gini (1912), Variabilita e mutabilita; in the form of Sen (1973), On economic inequality.
    """
    ordered = sorted(values.tolist())
    n, total = len(ordered), sum(ordered)
    if not total:
        return math.nan
    ranked = sum(rank * value for rank, value in enumerate(ordered, start=1))
    return (2 * ranked - (n + 1) * total) / (n * total)


def lorenz(values: np.ndarray) -> np.ndarray:
    """Return the Lorenz curve: the share of the whole that the least n have, (n_values + 1,).

    0 throughout where there is nothing to share.
    """
    sums = np.concatenate([[0], np.cumsum(np.sort(values))])
    return np.asarray(sums / max(int(sums[-1]), 1))


def loss_gini(run: Contagion) -> float:
    """Return the Gini coefficient of losses over all accounts; NaN if nobody lost."""
    return gini(account_losses_micro_usd(run))


def top_loss_share(run: Contagion) -> float:
    """Return the share of all losses borne by the hundredth of accounts that lost most."""
    losses = np.sort(account_losses_micro_usd(run))[::-1]
    total = int(losses.sum())
    return int(losses[: -(-len(losses) // 100)].sum()) / total if total else math.nan


def lorenz_columns(run: Contagion) -> dict[str, np.ndarray]:
    """Return the Lorenz curve of losses: share of accounts, of losses, and the loss added."""
    losses = np.sort(account_losses_micro_usd(run))
    return {
        "accounts_share": np.arange(len(losses) + 1) / max(len(losses), 1),
        "loss_share": lorenz(losses),
        "loss_usd": np.concatenate([[0.0], losses / MICRO_USD]),
    }


MEASURES = (
    Measure("loss_gini", "1", "Gini coefficient of account losses", loss_gini),
    Measure("loss_top_share", "1", "Losses of the hundredth that lost most", top_loss_share),
)
