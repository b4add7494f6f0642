"""Who pays when collateral is gone: insurance fund, then winners (ADL), then everybody.

Pools with negative equity are settled one after the other, in order of account id, to the last
micro-USD. What the fund cannot pay is taken from winners of the market that made the loss: lots
still open are handed to them at the pool's bankruptcy price; a deficit left after the market closed
the position is cut from their profit in cash. What winners cannot pay is socialised by equity.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.exact import apportion
from stresslab.core.ledger import House, Journal
from stresslab.liquidation.adl import ADL_POLICIES, Policy
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.transfers import (
    cut_profits,
    hand_over,
    list_legs,
    list_winners,
    make_payers,
    pay_from_fund,
    retire_if_flat,
    socialise,
)
from stresslab.margin.tiers import MarginTables


@dataclass
class Settlement:
    """What others paid of one pool's deficit beyond the insurance fund, micro-USD.

    A deficit that nobody is left to pay stays negative equity and is tried again in the next step.
    """

    adl: int = 0
    socialised: int = 0
    #: (row of the winner, asset, lots, loss)
    seized: list[tuple[int, int, int, int]] = field(default_factory=list)
    #: (row of the payer, amount)
    shared: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Waterfall:
    """Settles the deficit of one pool at a time at the given marks."""

    accounts: Accounts
    house: House
    journal: Journal
    tables: MarginTables
    rules: LiquidationRules

    def __post_init__(self) -> None:
        self._policy: Policy = ADL_POLICIES[self.rules.adl_policy]
        self._payers = make_payers(self.accounts.cash.size)
        self._by_id = np.argsort(self.accounts.id, kind="stable")
        self._needs = np.zeros(len(self.accounts.position), np.int64)

    def draw_on_funds(
        self, pools: np.ndarray, charged: np.ndarray, deficits: np.ndarray
    ) -> np.ndarray:
        """Let the funds of the charged assets pay deficits of pool codes; return what they paid."""
        paid = np.zeros_like(deficits)
        pay_from_fund(self.accounts, self.house, self.journal, pools, charged, deficits, paid)
        return paid

    def settle(
        self, pool: int, n: int, charged_asset: int, marks: np.ndarray, left: int
    ) -> Settlement:
        """Cover what the fund has ``left``; ``charged_asset`` is the market that made the loss."""
        result = Settlement()
        if self.rules.adl:
            left = self._deleverage(pool, n, charged_asset, marks, left, result)
        if left > 0:
            self._socialise(pool, n, marks, left, result)
        retire_if_flat(self.accounts, self.house, self.journal, pool, n)
        return result

    def _deleverage(
        self, pool: int, n: int, asset: int, marks: np.ndarray, left: int, result: Settlement
    ) -> int:
        legs = self._open_legs(pool, n, marks)
        if not legs:
            return self._cut_profits(pool, n, asset, marks, left, result)
        needs = np.array([need for need, _ in legs], np.int64)
        shares = apportion(left, needs if needs.sum() > 0 else np.ones_like(needs))
        carried = 0
        for share, (_, leg) in zip(shares.tolist(), legs, strict=True):
            carried = self._hand_over(n, leg, marks, share + carried, result)
        return carried

    def _open_legs(self, pool: int, n: int, marks: np.ndarray) -> list[tuple[int, int]]:
        """Return (maintenance, asset) of the pool's open perpetuals, largest first."""
        list_legs(self.accounts, self.tables, marks, pool, n, self._needs)
        legs = [(need, a) for a, need in enumerate(self._needs.tolist()) if need >= 0]
        return sorted(legs, key=lambda leg: (-leg[0], leg[1]))

    def _hand_over(self, n: int, a: int, marks: np.ndarray, owed: int, result: Settlement) -> int:
        """Transfer an open leg to the other side's queue; return what of ``owed`` is left."""
        side = 1 if self.accounts.position[a, n] > 0 else -1
        queue = self._queue(a, -side, marks, exclude=n)
        left, count = hand_over(
            self.accounts, self.house, self.journal, self.tables, marks, n, a, owed, queue,
            self._payers,
        )  # fmt: skip
        self._note_seized(a, count, result)
        return int(left)

    def _cut_profits(
        self, pool: int, n: int, a: int, marks: np.ndarray, owed: int, result: Settlement
    ) -> int:
        """Seize profit in cash along the queue of the market that made the deficit."""
        queue = self._queue(a, 0, marks, exclude=n)
        left, count = cut_profits(
            self.accounts, self.house, self.journal, self.tables, marks, pool, n, a, owed, queue,
            self._payers,
        )  # fmt: skip
        self._note_seized(a, count, result)
        return int(left)

    def _note_seized(self, a: int, count: int, result: Settlement) -> None:
        columns = (self._payers.row, self._payers.lots, self._payers.paid)
        for winner, lots, loss in zip(*(c[:count].tolist() for c in columns), strict=True):
            result.seized.append((winner, a, lots, loss))
            result.adl += loss

    def _queue(self, a: int, side: int, marks: np.ndarray, exclude: int) -> np.ndarray:
        """Return the rows on a side of an asset (0: those in profit), first to be asked first."""
        count = list_winners(self.accounts, self.tables, marks, a, side, exclude, self._payers)
        rows = self._payers.row[:count].copy()
        columns = (self._payers.profit, self._payers.equity, self._payers.notional)
        profit, equity, notional = (column[:count] for column in columns)
        score = self._policy(profit, self.accounts.entry_cost[a, rows], equity, notional)
        return rows[np.lexsort((self.accounts.id[rows], -score))]

    def _socialise(
        self, pool: int, n: int, marks: np.ndarray, left: int, result: Settlement
    ) -> None:
        """Share a loss over all pools with positive equity, in proportion to it."""
        count = socialise(
            self.accounts, self.house, self.journal, self.tables, marks, pool, n, left, self._by_id,
            self._payers,
        )  # fmt: skip
        paid = self._payers.paid[:count]
        paying = np.flatnonzero(paid)
        result.socialised = int(paid.sum())
        result.shared = list(
            zip(self._payers.row[paying].tolist(), paid[paying].tolist(), strict=True)
        )
