"""Who pays when collateral is gone: insurance fund, then winners (ADL), then everybody.

Pools with negative equity are settled one after the other, in order of account id, to the last
micro-USD. What the fund cannot pay is taken from winners of the market that made the loss: lots
still open are handed to them at the pool's bankruptcy price; a deficit left after the market closed
the position is cut from their profit in cash. What winners cannot pay is socialised.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.exact import FLOOR, apportion, mul_div
from stresslab.core.ledger import SHORTFALL, House, Journal, move_house
from stresslab.liquidation.adl_trail import AdlTrail
from stresslab.liquidation.payers import contributors, list_legs, list_solvent
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.socialised.on_withdrawal import OnWithdrawal
from stresslab.liquidation.transfers import (
    advance,
    collect,
    cut_profits,
    hand_over,
    pay_from_fund,
    retire_if_flat,
)
from stresslab.liquidation.winners import Winners
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import RATE_UNIT, MarginTables, rate_units


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
class Advance:
    """A deficit that the venue has covered itself until accounts withdraw."""

    liquidation: int
    asset: int
    owed: int


@dataclass
class Waterfall:
    """Settles the deficit of one pool at a time at the given marks."""

    accounts: Accounts
    house: House
    journal: Journal
    tables: MarginTables
    rules: LiquidationRules
    trail: AdlTrail = field(default_factory=AdlTrail)
    advances: list[Advance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._winners = Winners(self.accounts, self.tables, self.rules)
        self._payers = self._winners.payers
        self._needs = np.zeros(len(self.accounts.position), np.int64)
        self._severity = rate_units(self.rules.adl_severity) if self.rules.adl else 0

    def begin(self) -> None:
        """Begin to settle a step, at other marks or with other positions than before."""
        self._winners.begin()

    def draw_on_funds(
        self, pools: np.ndarray, charged: np.ndarray, deficits: np.ndarray
    ) -> np.ndarray:
        """Let the funds of the charged assets pay deficits of pool codes; return what they paid."""
        self.begin()
        paid = np.zeros_like(deficits)
        pay_from_fund(self.accounts, self.house, self.journal, pools, charged, deficits, paid)
        return paid

    def settle(
        self, pool: int, n: int, charged_asset: int, marks: np.ndarray, left: int, liquidation: int
    ) -> Settlement:
        """Cover what the fund has ``left``; ``charged_asset`` is the market that made the loss."""
        result = Settlement()
        seizable = int(mul_div(left, self._severity, RATE_UNIT, FLOOR))
        if seizable > 0:
            left -= seizable
            left += self._deleverage(pool, n, charged_asset, marks, seizable, liquidation, result)
        if left > 0 and isinstance(self.rules.socialised_loss, OnWithdrawal):
            advance(self.accounts, self.house, self.journal, pool, n, left)
            self.advances.append(Advance(liquidation, charged_asset, left))
            result.socialised = left
        elif left > 0:
            self._socialise(pool, n, charged_asset, marks, left, result)
        retire_if_flat(self.accounts, self.house, self.journal, pool, n)
        self._winners.have_changed([n])
        return result

    def take_over(
        self, pool: int, n: int, asset: int, marks: np.ndarray, liquidation: int
    ) -> Settlement:
        """Hand a leg that no book takes to winners, with its part of the pool's equity."""
        result = Settlement()
        need = sum(need for need, _ in self._open_legs(pool, n, marks))
        equity, _, _ = pool_state(self.accounts, self.tables, marks, pool, n)
        own_need = int(self._needs[asset])
        if own_need > 0:
            owed = -int(mul_div(equity, own_need, need, FLOOR))
            self._hand_over(pool, n, asset, marks, owed, liquidation, result)
        self._winners.have_changed([n])
        return result

    def repay(self) -> list[tuple[Advance, int]]:
        """Let insurance funds pay the venue's advances, oldest first; return what they paid."""
        paid = []
        for advanced in self.advances:
            fund = int(self.house.fund[advanced.asset])
            amount = min(advanced.owed, max(0, int(self.house.cash[fund])))
            if amount > 0:
                move_house(self.house, fund, SHORTFALL, amount)
                advanced.owed -= amount
                paid.append((advanced, amount))
        self.advances = [advanced for advanced in self.advances if advanced.owed > 0]
        return paid

    def withdraw_all(self, marks: np.ndarray) -> list[tuple[int, int]]:
        """Keep the venue's shortfall back from all balances; return (row, amount) of each."""
        owed = sum(advanced.owed for advanced in self.advances)
        count = self._solvent(0, marks, exclude=-1)
        return self._share_loss(-1, -1, marks, owed, count, 0) if owed else []

    # -- auto-deleveraging -------------------------------------------------------------------------

    def _deleverage(
        self, pool: int, n: int, asset: int, marks: np.ndarray, left: int, liquidation: int,
        result: Settlement,
    ) -> int:  # fmt: skip
        """Hand open legs to winners, or cut their profit where the market closed the position.

        If deficits keep to their market, another leg that is still open is handed over only for
        what the profits of the closed market do not cover.
        """
        legs = self._open_legs(pool, n, marks)
        is_closed = all(leg != asset for _, leg in legs)
        if not legs or (is_closed and self.rules.deficit_keeps_market):
            left = self._cut_profits(pool, n, asset, marks, left, liquidation, result)
        if left == 0 or not legs:
            return left
        needs = np.array([need for need, _ in legs], np.int64)
        shares = apportion(left, needs if needs.sum() > 0 else np.ones_like(needs))
        carried = 0
        for share, (_, leg) in zip(shares.tolist(), legs, strict=True):
            owed = share + carried
            carried = self._hand_over(pool, n, leg, marks, owed, liquidation, result)
        return carried

    def _open_legs(self, pool: int, n: int, marks: np.ndarray) -> list[tuple[int, int]]:
        """Return (maintenance, asset) of the pool's open perpetuals, largest first."""
        list_legs(self.accounts, self.tables, marks, pool, n, self._needs)
        legs = [(need, a) for a, need in enumerate(self._needs.tolist()) if need >= 0]
        return sorted(legs, key=lambda leg: (-leg[0], leg[1]))

    def _hand_over(
        self, pool: int, n: int, a: int, marks: np.ndarray, owed: int, liquidation: int,
        result: Settlement,
    ) -> int:  # fmt: skip
        """Transfer an open leg to the other side's winners; return what of ``owed`` is left."""
        left, p = owed, self._payers
        for rows, most in self._winners.of_lots(n, a, marks, owed):
            left, count = hand_over(
                self.accounts, self.house, self.journal, self.tables, marks, n, a, left, rows,
                most, p,
            )  # fmt: skip
            self._note_seized(a, count, liquidation, result)
            own = np.full(count, pool * self.accounts.id.size + n)
            self.trail.note(own, a, -p.lots[:count], -p.cash[:count], liquidation)
        return int(left)

    def _cut_profits(
        self, pool: int, n: int, a: int, marks: np.ndarray, owed: int, liquidation: int,
        result: Settlement,
    ) -> int:  # fmt: skip
        """Seize profit in cash from winners of the market that made the deficit."""
        rows, most = self._winners.of_profit(n, a, marks, owed)
        left, count = cut_profits(
            self.accounts, self.house, self.journal, pool, n, a, owed, rows, most, self._payers
        )
        self._note_seized(a, count, liquidation, result)
        return int(left)

    def _note_seized(self, a: int, count: int, liquidation: int, result: Settlement) -> None:
        """Remember what winners gave, from the first rows of the payers' columns."""
        p = self._payers
        for winner, lots, loss in zip(
            p.row[:count].tolist(), p.lots[:count].tolist(), p.paid[:count].tolist(), strict=True
        ):
            result.seized.append((winner, a, lots, loss))
            result.adl += loss
        self._winners.have_changed(p.row[:count].tolist())
        codes = p.pool[:count] * self.accounts.id.size + p.row[:count]
        self.trail.note(codes, a, p.lots[:count], p.cash[:count], liquidation)

    # -- socialised loss ---------------------------------------------------------------------------

    def _socialise(
        self, pool: int, n: int, a: int, marks: np.ndarray, left: int, result: Settlement
    ) -> None:
        """Share a loss over all pools of other accounts that have equity."""
        count = self._solvent(a, marks, exclude=n)
        result.shared = self._share_loss(pool, n, marks, left, count, a)
        result.socialised = sum(amount for _, amount in result.shared)

    def _share_loss(
        self, pool: int, n: int, marks: np.ndarray, owed: int, count: int, a: int
    ) -> list[tuple[int, int]]:
        equity = self._payers.equity[:count]
        lot_value = int(marks[a]) * int(self.tables.unit_value[a])
        everybody = contributors(self._payers, count, lot_value, equity, equity)
        places, paid = self.rules.socialised_loss.divide(owed, everybody)
        collect(self.accounts, self.house, self.journal, pool, n, self._payers, places, paid)
        self._winners.begin()
        paying = np.flatnonzero(paid)
        rows = self._payers.row[places[paying]]
        return list(zip(rows.tolist(), paid[paying].tolist(), strict=True))

    # -- who can pay -------------------------------------------------------------------------------

    def _solvent(self, a: int, marks: np.ndarray, exclude: int) -> int:
        by_id = self._winners.by_id
        return int(list_solvent(self.accounts, self.tables, marks, a, exclude, by_id, self._payers))
