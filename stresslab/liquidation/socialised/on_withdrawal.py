"""The venue owes the loss until its customers leave; then everybody gets less."""

from __future__ import annotations

from stresslab.core.declarations import declared
from stresslab.liquidation.adl.by_equity import ByEquity


@declared
class OnWithdrawal(ByEquity):
    """Nobody pays during the run; at its end all withdraw, less their part of the shortfall.

    The part of every balance that is kept is the shortfall, beyond what insurance funds could pay
    meanwhile, over the sum of all balances.

    References
    ----------
    Paradex, Socialized Losses: the charge on a withdrawal is shortfall / total balance.
    """
