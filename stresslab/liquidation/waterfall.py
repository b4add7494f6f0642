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
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import CEIL, apportion, mul_div
from stresslab.core.ledger import (
    ADL,
    CLEARING,
    INSURANCE_FUND,
    TRANSFER,
    House,
    Journal,
    pay_house,
)
from stresslab.liquidation.adl import ADL_POLICIES, Policy
from stresslab.liquidation.rules import LiquidationRules
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.posting import close_lots, retire_pool
from stresslab.margin.tiers import MarginTables, maintenance_margin


@dataclass
class Settlement:
    """What of one pool's deficit was covered and who paid it, micro-USD.

    A deficit that nobody is left to pay stays negative equity and is tried again in the next step.
    """

    deficit: int
    fund: int = 0
    adl: int = 0
    socialised: int = 0
    #: (row of the winner, asset, lots, loss)
    seized: list[tuple[int, int, int, int]] = field(default_factory=list)
    #: (row of the payer, amount)
    shared: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Waterfall:
    """Settles the deficit of one pool at a time at the given marks."""

    accounts: Accounts
    house: House
    journal: Journal
    tables: MarginTables
    rules: LiquidationRules

    def settle(self, pool: int, n: int, charged_asset: int, marks: np.ndarray) -> Settlement:
        """Cover the negative equity of a pool; ``charged_asset`` is the market that made it."""
        equity, _, _ = pool_state(self.accounts, self.tables, marks, pool, n)
        result = Settlement(deficit=-int(equity))
        result.fund = min(result.deficit, max(0, int(self.house.cash[INSURANCE_FUND])))
        self._give(n, pool, INSURANCE_FUND, result.fund)
        left = result.deficit - result.fund
        if left > 0 and self.rules.adl:
            left = self._deleverage(pool, n, charged_asset, marks, left, result)
        if left > 0:
            self._socialise(pool, n, marks, left, result)
        result.deficit = result.fund + result.adl + result.socialised
        if pool > 0 and self.accounts.position[pool - 1, n] == 0:
            retire_pool(self.accounts, self.house, self.journal, n, pool - 1)
        return result

    def _give(self, n: int, pool: int, source: int, amount: int) -> None:
        if amount > 0:
            pay_house(self.accounts, self.house, self.journal, n, pool, source, -amount, TRANSFER)

    def _deleverage(
        self, pool: int, n: int, asset: int, marks: np.ndarray, left: int, result: Settlement
    ) -> int:
        legs = self._open_legs(pool, n, marks)
        if not legs:
            return self._cut_profits(pool, n, asset, marks, left, result)
        needs = np.array([need for need, _ in legs], np.int64)
        shares = apportion(left, needs if needs.sum() > 0 else np.ones_like(needs))
        carried = 0
        for share, (_, leg) in zip(shares, legs, strict=True):
            carried = self._hand_over(pool, n, leg, marks, int(share) + carried, result)
        return carried

    def _open_legs(self, pool: int, n: int, marks: np.ndarray) -> list[tuple[int, int]]:
        """Return (maintenance, asset) of the pool's open perpetuals, largest first."""
        mode = ISOLATED if pool > 0 else CROSS
        legs = []
        for a in range(self.accounts.position.shape[0]):
            lots = int(self.accounts.position[a, n])
            belongs = self.accounts.mode[a, n] == mode and (pool == 0 or pool == 1 + a)
            if belongs and lots != 0 and not self.tables.is_spot[a]:
                value = abs(position_value(self.tables, marks, a, lots))
                legs.append((int(maintenance_margin(self.tables, a, value)), a))
        return sorted(legs, key=lambda leg: (-leg[0], leg[1]))

    def _hand_over(
        self, pool: int, n: int, a: int, marks: np.ndarray, owed: int, result: Settlement
    ) -> int:
        """Transfer an open leg to the other side's queue; return what of ``owed`` is left.

        The price is the mark moved against the winners by ``owed`` over the leg's lots, which is
        the leg's share of the pool's bankruptcy price.
        """
        side = 1 if self.accounts.position[a, n] > 0 else -1
        for winner in self._queue(a, -side, marks, exclude=n):
            open_lots = abs(int(self.accounts.position[a, n]))
            if open_lots == 0:
                break
            lots = min(open_lots, abs(int(self.accounts.position[a, winner])))
            loss = int(mul_div(owed, lots, open_lots, CEIL))
            if loss > self._equity_behind(a, winner, marks):
                continue
            worth = int(position_value(self.tables, marks, a, side * lots))
            self._pass_lots(n, a, -side * lots, -(worth + loss))
            self._pass_lots(winner, a, side * lots, worth + loss)
            owed -= loss
            result.adl += loss
            result.seized.append((winner, a, side * lots, loss))
        return owed

    def _pass_lots(self, n: int, a: int, lots: int, cash: int) -> None:
        close_lots(self.accounts, self.house, self.journal, n, a, lots, cash, ADL)
        self.journal.adl_lots[self.journal.slot[n], a] += lots
        if self.accounts.position[a, n] == 0:
            retire_pool(self.accounts, self.house, self.journal, n, a)

    def _cut_profits(
        self, pool: int, n: int, a: int, marks: np.ndarray, left: int, result: Settlement
    ) -> int:
        """Seize profit in cash along the queue of the market that made the deficit."""
        for winner in self._queue(a, 0, marks, exclude=n):
            profit = min(self._profit(a, winner, marks), self._equity_behind(a, winner, marks))
            taken = min(left, profit)
            if taken <= 0:
                continue
            self._pay_over(self._pool_of(a, winner), winner, pool, n, taken, ADL)
            self.accounts.profit_cut[a, winner] += taken
            result.adl += taken
            result.seized.append((winner, a, 0, taken))
            left -= taken
            if left == 0:
                break
        return left

    def _pay_over(
        self, source: int, payer: int, pool: int, n: int, amount: int, reason: int
    ) -> None:
        parts = self.accounts, self.house, self.journal
        pay_house(*parts, payer, source, CLEARING, amount, reason)
        pay_house(*parts, n, pool, CLEARING, -amount, TRANSFER)

    def _queue(self, a: int, side: int, marks: np.ndarray, exclude: int) -> list[int]:
        """Return the rows on a side of an asset (0: those in profit), first to be asked first."""
        position = self.accounts.position[a]
        rows = np.flatnonzero(position * side > 0 if side else position != 0)
        rows = rows[rows != exclude]
        profit = np.array([self._profit(a, n, marks) for n in rows], np.int64)
        if side == 0:
            rows, profit = rows[profit > 0], profit[profit > 0]
        equity = np.array([self._equity_behind(a, n, marks) for n in rows], np.int64)
        notional = np.array([self._notional_behind(a, n, marks) for n in rows], np.int64)
        policy: Policy = ADL_POLICIES[self.rules.adl_policy]
        score = policy(profit, self.accounts.entry_cost[a, rows], equity, notional)
        return [int(rows[k]) for k in np.lexsort((self.accounts.id[rows], -score))]

    def _pool_of(self, a: int, n: int) -> int:
        return 1 + a if self.accounts.mode[a, n] == ISOLATED else 0

    def _profit(self, a: int, n: int, marks: np.ndarray) -> int:
        value = position_value(self.tables, marks, a, self.accounts.position[a, n])
        return int(value - self.accounts.entry_cost[a, n] - self.accounts.profit_cut[a, n])

    def _equity_behind(self, a: int, n: int, marks: np.ndarray) -> int:
        return int(pool_state(self.accounts, self.tables, marks, self._pool_of(a, n), n)[0])

    def _notional_behind(self, a: int, n: int, marks: np.ndarray) -> int:
        return int(pool_state(self.accounts, self.tables, marks, self._pool_of(a, n), n)[2])

    def _socialise(
        self, pool: int, n: int, marks: np.ndarray, left: int, result: Settlement
    ) -> None:
        """Share a loss over all pools with positive equity, in proportion to it."""
        payers, weights = self._solvent_pools(n, marks)
        if not payers:
            return
        amounts = apportion(min(left, int(weights.sum())), weights)
        for (source, payer), amount in zip(payers, amounts, strict=True):
            if amount > 0:
                self._pay_over(source, payer, pool, n, int(amount), TRANSFER)
                result.socialised += int(amount)
                result.shared.append((payer, int(amount)))

    def _solvent_pools(
        self, exclude: int, marks: np.ndarray
    ) -> tuple[list[tuple[int, int]], np.ndarray]:
        payers, weights = [], []
        for n in np.argsort(self.accounts.id, kind="stable"):
            for pool in range(self.accounts.cash.shape[0]):
                if n == exclude or (pool > 0 and self.accounts.mode[pool - 1, n] == FLAT):
                    continue
                equity = int(pool_state(self.accounts, self.tables, marks, pool, int(n))[0])
                if equity > 0:
                    payers.append((pool, int(n)))
                    weights.append(equity)
        return payers, np.array(weights, np.int64)
