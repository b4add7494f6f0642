"""What each policy of auto-deleveraging takes from the same winners for the same need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Contributors
from stresslab.validation.october.endowments import Winners

#: Policies that ask everybody at once; ``by_contracts`` needs lots, which nobody published.
SHARED = ("by_profit", "by_equity", "by_risk", "min_max")
QUEUES = ("price_ratio_times_leverage", "profit_times_leverage", "profit_times_margin_ratio")
_MICRO = 1_000_000
_MAINTENANCE = 0.0125  # of notional, the lowest of the venue's rates


class Bill(NamedTuple):
    """What one policy took in one wave."""

    needed: float  # USD
    seized: float  # USD
    #: Of one winner's equity, less the micro-USD by which a bill may be rounded up.
    largest_share: float
    smallest_share: float  # of the profits of those who have any
    largest_profit_share: float  # of one winner's profit


def bill(policy: str, winners: Winners, needed_usd: float, *, whole: bool = False) -> Bill:
    """Return what a policy takes.

    Parameters
    ----------
    whole
        Whether whoever is asked gives up its whole profit, as when positions are closed in full,
        instead of only what is still needed.
    """
    needed = round(needed_usd * _MICRO)
    crowd = _crowd(winners)
    place, asked = ADL_POLICIES[policy]().divide(needed, crowd)
    taken = np.zeros(winners.profit.size, np.int64)
    before = np.cumsum(asked) - asked
    if whole:
        taken[place] = np.where(before < needed, crowd.most[place], 0)
    else:
        taken[place] = np.clip(needed - before, 0, asked)
    of_profit = taken / np.maximum(winners.profit, 1)
    return Bill(
        needed / _MICRO,
        int(taken.sum()) / _MICRO,
        float((np.maximum(taken - 1, 0) / np.maximum(winners.equity, 1)).max()),
        float(of_profit[winners.profit > _MICRO].min(initial=1.0)),
        float(of_profit.max()),
    )


def _crowd(winners: Winners) -> Contributors:
    """Return winners as the rules of auto-deleveraging see them: shorts of one market."""
    profit, equity, notional = winners
    ones = np.ones(profit.size, np.int64)
    return Contributors(
        side=-ones, lots=ones, value=notional, cost=notional + profit, profit=profit,
        equity=equity, maintenance=(notional * _MAINTENANCE).astype(np.int64), notional=notional,
        wallet=equity - profit, most=profit, bearable=profit,
    )  # fmt: skip


def worst_gap(bills: Sequence[Bill]) -> float:
    """Return the largest difference between seized and needed, in parts of needed."""
    return max(abs(each.seized / each.needed - 1.0) for each in bills)


def overshoot(bills: Sequence[Bill]) -> float:
    """Return what was seized beyond what was needed, USD."""
    return sum(each.seized - each.needed for each in bills)
