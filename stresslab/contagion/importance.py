"""How much a removal changes, by running again, and how well it was foretold.

Removed is an account, what an asset's forced sales do to its price, or a rule. The truth is the
twin: who is saved, who falls instead, how much others are forced to trade. Held against it are the
shadow of the removed, their trigger shares and their plain size.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int, is_in, rows_of
from stresslab.contagion.projection import Contagion
from stresslab.contagion.shadow import Shadow

#: What tells the saved from the fallen within a removal; ``closeness`` knows nothing of it.
SCORES = ("shadow", "shadow_in_turn", "trigger_share", "size", "closeness")
#: What foretells by how much others are forced to trade less.
PREDICTIONS = ("shadow_usd", "shadow_in_turn_usd", "trigger_usd", "size_usd")


class Fallen(NamedTuple):
    """Accounts that were liquidated in a run, sorted by id; (n,) each."""

    account: np.ndarray
    micro_usd: np.ndarray  # forced notional at the marks of judgement


def fallen(run: Contagion) -> Fallen:
    """Return who fell, and what each had to trade."""
    account, place = np.unique(as_int(run.liquidations["account"]), return_inverse=True)
    traded = np.zeros(account.size, np.int64)
    np.add.at(traded, place, run.forced_notional)
    return Fallen(account, traded)


class Foretold:
    """What one run foretells of removals from it."""

    def __init__(self, run: Contagion, shadow: Shadow) -> None:
        self._run, self._shadow = run, shadow
        self.fallen = fallen(run)
        everybody = np.zeros(shadow.sales.ticks.size, bool)
        self._closeness = self._by_account(shadow.headroom_in_turn(everybody))

    def outcome(
        self, chosen: np.ndarray, gone: tuple[int, ...], twin: Fallen
    ) -> dict[str, int | float]:
        """Return what a removal did to the others, and what was foretold; a row of the table.

        Parameters
        ----------
        chosen : the sales that go with the removed, (n_sales,)
        gone : accounts that are taken out
        twin : who fell without them
        """
        is_other = ~is_in(self.fallen.account, np.array(gone, np.int64))
        others, forced = (column[is_other] for column in self.fallen)
        left = twin.micro_usd[~is_in(twin.account, np.array(gone, np.int64))].sum()
        is_saved = ~is_in(others, twin.account)
        told = [self._shadow.saved(chosen), self._shadow.saved_in_turn(chosen)]
        hits = [is_in(others, ids) for ids in told]
        triggered = self._triggered(chosen)[is_other]
        row: dict[str, int | float] = {
            "fell": len(others),
            "saved": int(is_saved.sum()),
            "felled": int((~is_in(twin.account, self.fallen.account)).sum()),
            "saved_usd": int(forced.sum() - left) / MICRO_USD,
            "shadow_saved": int(hits[0].sum()),
            "shadow_right": int((hits[0] & is_saved).sum()),
            "shadow_in_turn_saved": int(hits[1].sum()),
            "shadow_in_turn_right": int((hits[1] & is_saved).sum()),
            "shadow_usd": int(forced[hits[0]].sum()) / MICRO_USD,
            "shadow_in_turn_usd": int(forced[hits[1]].sum()) / MICRO_USD,
            "trigger_usd": math.fsum((triggered * forced).tolist()) / MICRO_USD,
        }
        scores = self._scores(chosen, is_other, forced, triggered)
        return row | {f"auc_{name}": auc(score, is_saved) for name, score in scores.items()}

    def size_usd(self, accounts: tuple[int, ...]) -> float:
        """Return what accounts were forced to trade, USD."""
        return int(self.fallen.micro_usd[is_in(self.fallen.account, np.array(accounts))].sum()) / (
            MICRO_USD
        )

    def _scores(
        self, chosen: np.ndarray, is_other: np.ndarray, forced: np.ndarray, triggered: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return what should be high for the saved; small ones are thought to be saved first."""
        told = (self._shadow.headroom(chosen), self._shadow.headroom_in_turn(chosen))
        plain, in_turn = (self._by_account(headroom)[is_other] for headroom in told)
        values = (plain, in_turn, triggered, -forced, self._closeness[is_other])
        return dict(zip(SCORES, values, strict=True))

    def _by_account(self, headroom: np.ndarray) -> np.ndarray:
        """Return the least of an account's pools."""
        least = np.full(self.fallen.account.size, np.inf)
        place = rows_of(self._shadow.pools.account, self.fallen.account)
        np.minimum.at(least, place, headroom)
        return least

    def _triggered(self, chosen: np.ndarray) -> np.ndarray:
        """Return the trigger share of the chosen sellers in each account's first breach."""
        found, pools = self._run.triggers, self._shadow.pools
        sellers = np.unique(self._shadow.sales.liquidation[chosen])
        is_theirs = is_in(found.source, sellers)
        pool = rows_of(found.liquidation[is_theirs], pools.liquidation)
        is_first = pool >= 0
        by_pool = np.zeros(pools.account.size)
        np.add.at(by_pool, pool[is_first], found.share[is_theirs][is_first])
        most = np.zeros(self.fallen.account.size)
        np.maximum.at(most, rows_of(pools.account, self.fallen.account), by_pool)
        return most


def auc(score: np.ndarray, is_positive: np.ndarray) -> float:
    """Return the chance that a positive scores above a negative, ties half; NaN without either.

    >>> auc(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False]))
    0.875
    """
    n = int(is_positive.sum())
    if n in (0, is_positive.size):
        return math.nan
    rank = _ranks(score)
    return float((rank[is_positive].sum() - n * (n + 1) / 2) / (n * (is_positive.size - n)))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation of ranks, ties at their mean; NaN if either is constant."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    one, other = (r - r.mean() for r in (_ranks(first), _ranks(second)))
    return float((one * other).sum() / math.sqrt((one**2).sum() * (other**2).sum()))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1; equal values share the mean of theirs."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (first + last + 1) / 2.0
