"""How much a removal changes, by running again, and how well it was foretold.

Removed is an account, what an asset's forced sales do to its price, or a rule. The truth is the
twin: who is saved, who falls instead, how much others are forced to trade. Held against it are the
shadow of the removed, their trigger shares and their plain size.

Shadows speak of those who only hold. Who had a stop triggered, topped up or cut a position may be
saved by getting out in time, whatever prices do, and what a trader opened on the way he might not
have opened; forecasts are therefore scored among all others and among those that stayed passive.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int, is_in, rows_of
from stresslab.contagion.projection import Contagion
from stresslab.contagion.shadow import Shadow, price_path

#: What tells the saved from the fallen within a removal. ``closeness`` knows nothing of what is
#: removed; ``twin_prices`` knows the twin's prices, so no forecast of prices can do better.
SCORES = (
    "shadow",
    "shadow_in_turn",
    "shadow_fading",
    "trigger_share",
    "size",
    "closeness",
    "twin_prices",
)
#: Those that also say yes or no.
SAYERS = ("shadow", "shadow_in_turn", "shadow_fading", "twin_prices")
#: What foretells by how much others are forced to trade less.
PREDICTIONS = ("shadow_usd", "shadow_in_turn_usd", "shadow_fading_usd", "trigger_usd", "size_usd")
_DEFENCES = ("n_stops", "n_topups", "n_cuts")


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


class Twin(NamedTuple):
    """What is asked of a twin."""

    fallen: Fallen
    steps: np.ndarray  # of its price moves, rising; (n_moves,)
    marks: np.ndarray  # after each, ticks; (n_moves, n_assets)


def twin_of(run: Contagion) -> Twin:
    """Return what a finished twin has to answer."""
    path = price_path(run)
    return Twin(fallen(run), path.steps, path.marks)


class Foretold:
    """What one run foretells of removals from it."""

    def __init__(self, run: Contagion, shadow: Shadow) -> None:
        self._run, self._shadow = run, shadow
        self.fallen = fallen(run)
        everybody = np.zeros(shadow.sales.ticks.size, bool)
        self._closeness = self._by_account(shadow.headroom_in_turn(everybody))
        active = np.union1d(_defended(run), shadow.pools.account[~shadow.pools.is_original])
        self._is_passive = ~is_in(self.fallen.account, active)

    def outcome(
        self, chosen: np.ndarray, gone: tuple[int, ...], twin: Twin
    ) -> dict[str, int | float]:
        """Return what a removal did to the others, and what was foretold; a row of the table.

        Parameters
        ----------
        chosen : the sales that go with the removed, (n_sales,)
        gone : accounts that are taken out
        twin : the run without them
        """
        is_other = ~is_in(self.fallen.account, np.array(gone, np.int64))
        others, forced = (column[is_other] for column in self.fallen)
        is_gone = is_in(twin.fallen.account, np.array(gone, np.int64))
        left = twin.fallen.micro_usd[~is_gone].sum()
        is_saved = ~is_in(others, twin.fallen.account)
        is_passive = self._is_passive[is_other]
        triggered = self._triggered(chosen)[is_other]
        row: dict[str, int | float] = {
            "fell": len(others),
            "saved": int(is_saved.sum()),
            "felled": int((~is_in(twin.fallen.account, self.fallen.account)).sum()),
            "saved_usd": int(forced.sum() - left) / MICRO_USD,
            "passive": int(is_passive.sum()),
            "passive_saved": int(is_saved[is_passive].sum()),
        }
        scores = self._scores(chosen, is_other, triggered, twin)
        for name in SAYERS:
            is_asked = chosen.any() or name == "twin_prices"  # nothing taken back saves nobody
            is_told = (scores[name] >= 0) & is_asked
            row[f"{name}_saved"] = int(is_told.sum())
            row[f"{name}_right"] = int((is_told & is_saved).sum())
            row[f"{name}_usd"] = int(forced[is_told].sum()) / MICRO_USD
        row["trigger_usd"] = math.fsum((triggered * forced).tolist()) / MICRO_USD
        for name, score in scores.items():
            row[f"auc_{name}"] = auc(score, is_saved)
            row[f"passive_auc_{name}"] = auc(score[is_passive], is_saved[is_passive])
        return row

    def size_usd(self, accounts: tuple[int, ...]) -> float:
        """Return what accounts were forced to trade, USD."""
        return int(self.fallen.micro_usd[is_in(self.fallen.account, np.array(accounts))].sum()) / (
            MICRO_USD
        )

    def _scores(
        self, chosen: np.ndarray, is_other: np.ndarray, triggered: np.ndarray, twin: Twin
    ) -> dict[str, np.ndarray]:
        """Return what should be high for the saved; small ones are thought to be saved first."""
        s = self._shadow
        told = (
            s.headroom(chosen),
            s.headroom_in_turn(chosen),
            s.headroom_in_turn(chosen, fades=True),
            s.headroom_along(twin.steps, twin.marks),
        )
        plain, in_turn, fading, along = (self._by_account(found)[is_other] for found in told)
        size, closeness = -self.fallen.micro_usd[is_other], self._closeness[is_other]
        values = (plain, in_turn, fading, triggered, size, closeness, along)
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


def _defended(run: Contagion) -> np.ndarray:
    """Return the ids of accounts that had a stop triggered, topped up or cut a position."""
    rows = run.tables["accounts"]
    times = np.sum([as_int(rows[name]) for name in _DEFENCES], axis=0)
    return as_int(rows["account"])[times > 0]


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
