"""Who pays what a pool with negative equity owes: fund, winners, everybody (DESIGN 4, settle)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.reference.slow_pools import Contract, Pool, pro_rata

TRANSFER = ("transfer", None, -1)
OWN_EXECUTION = ("own_execution", None, -1)


@dataclass
class Settlement:
    """The waterfall of one run: the fund's balance, and the rows of three event tables."""

    contracts: Sequence[Contract]
    pools: Sequence[Pool]
    fund: int
    is_adl: bool
    step: int = 0
    marks: Sequence[int] = ()
    waterfall: list[tuple] = field(default_factory=list)
    adl: list[tuple] = field(default_factory=list)
    socialised: list[tuple] = field(default_factory=list)

    def settle(self, step: int, marks: Sequence[int]) -> None:
        """Cover the deficits of pools in liquidation, one after the other by account."""
        self.step, self.marks = step, marks
        for pool in sorted(self.pools, key=lambda pool: (pool.account, pool.asset)):
            if pool.spell and self._equity(pool) < 0:
                self._cover(pool)

    def _cover(self, pool: Pool) -> None:
        deficit = -self._equity(pool)
        fund = min(self.fund, deficit)
        self.fund -= fund
        pool.cash += fund
        left = deficit - fund
        if self.is_adl and left:
            left = self._seize(pool, left) if pool.is_flat else self._hand_over_legs(pool, left)
        socialised = self._socialise(pool, left) if left else 0
        adl = deficit - fund - left
        row = (self.step, pool.spell.key, pool.spell.charged, deficit, fund, adl, socialised)
        self.waterfall.append(row)
        pool.spell.is_bankrupt = True

    def _equity(self, pool: Pool) -> int:
        return pool.equity(self.contracts, self.marks)

    # -- auto-deleveraging ------------------------------------------------------------------

    def _seize(self, pool: Pool, left: int) -> int:
        """Cut the profits of the market's winners, best ranked first; return what is left."""
        asset = pool.spell.charged
        for winner, profit in self._queue(pool, asset):
            part = min(left, profit, self._equity(winner))
            if part > 0:
                winner.cash -= part
                winner.cut[asset] = winner.cut.get(asset, 0) + part
                winner.charge(("adl", pool.spell.key, -1), part)
                pool.cash += part
                left -= part
                self.adl.append((self.step, pool.spell.key, winner.account, asset, 0, part))
        return left

    def _hand_over_legs(self, pool: Pool, left: int) -> int:
        """Hand open legs to the other side at the bankruptcy price; return what is left.

        The deficit is shared by the legs in proportion to maintenance margin (MECHANICS 3.2).
        """
        need = {
            a: self.contracts[a].maintenance(lots, self.marks[a])
            for a, lots in pool.lots.items()
            if lots
        }
        legs = sorted(need, key=lambda a: (-need[a], a))
        carried = 0
        for share, asset in zip(pro_rata(left, [need[a] for a in legs]), legs, strict=True):
            carried = self._hand_over(pool, asset, share + carried)
        return carried

    def _hand_over(self, pool: Pool, asset: int, owed: int) -> int:
        side = 1 if pool.lots[asset] > 0 else -1
        for winner, _ in self._queue(pool, asset):
            open_lots = abs(pool.lots[asset])
            lots = min(open_lots, max(-side * winner.lots[asset], 0))
            if not lots:
                continue
            loss = -(-owed * lots // open_lots)
            if loss > self._equity(winner):
                continue
            before = winner.excess_at(self.contracts, self.marks)
            worth = side * lots * self.marks[asset] * self.contracts[asset].unit
            pool.lots[asset] -= side * lots
            pool.cash += worth + loss
            winner.lots[asset] += side * lots
            winner.cash -= worth + loss
            released = before - loss - winner.excess_at(self.contracts, self.marks)
            winner.charge(("adl", pool.spell.key, -1), loss)
            winner.taken.append((pool.spell.key, asset, side * lots))
            winner.charge(OWN_EXECUTION, released)
            owed -= loss
            self.adl.append((self.step, pool.spell.key, winner.account, asset, side * lots, loss))
        return owed

    def _queue(self, pool: Pool, asset: int) -> list[tuple[Pool, int]]:
        """Return other accounts' pools holding an asset, and their profit, by profit x leverage."""
        contract, ranked = self.contracts[asset], []
        for winner in self.pools:
            lots = winner.lots.get(asset, 0)
            if not lots or winner.account == pool.account:
                continue
            profit = lots * (self.marks[asset] - contract.initial_ticks) * contract.unit
            profit -= winner.cut.get(asset, 0)
            share = Fraction(profit, contract.notional(lots, contract.initial_ticks))
            notional = winner.notional(self.contracts, self.marks)
            leverage = Fraction(notional, max(self._equity(winner), 1))
            score = share * leverage if profit > 0 else share / leverage
            ranked.append((-score, winner.account, winner, profit))
        return [(winner, profit) for _, _, winner, profit in sorted(ranked, key=lambda r: r[:2])]

    # -- socialised loss --------------------------------------------------------------------

    def _socialise(self, pool: Pool, amount: int) -> int:
        """Share a loss over the pools of other accounts pro rata to equity; return what is paid."""
        payers = [
            payer
            for payer in sorted(self.pools, key=lambda payer: (payer.account, payer.asset))
            if payer.account != pool.account and self._equity(payer) > 0
        ]
        weights = [self._equity(payer) for payer in payers]
        amount = min(amount, sum(weights))
        for payer, part in zip(payers, pro_rata(amount, weights), strict=True):
            if part:
                payer.cash -= part
                payer.charge(TRANSFER, part)
                self.socialised.append((self.step, payer.account, pool.spell.charged, part))
        pool.cash += amount
        return amount
