"""What collateral does not cover is settled: deficits go through the waterfall, pool by pool."""

from __future__ import annotations

import numpy as np

from stresslab.liquidation.floor import Clearing
from stresslab.liquidation.recorder import Recorder
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.spells import Spells
from stresslab.liquidation.waterfall import Waterfall
from stresslab.margin.chains.book import ChainBook
from stresslab.market.marks import MarkBoard


class Settlement:
    """Sends every pool with negative equity through the waterfall, in order of account id."""

    def __init__(
        self,
        rules: LiquidationRules,
        clearing: Clearing,
        board: MarkBoard,
        spells: Spells,
        waterfall: Waterfall,
        recorder: Recorder,
        chains: ChainBook | None,
    ) -> None:
        self._takes_over = rules.adl and rules.adl_on_exhausted_book
        self._ids, self._board, self._spells = clearing.accounts.id, board, spells
        self._waterfall, self._recorder, self._chains = waterfall, recorder, chains

    def settle(self, step: int, unfilled: list[tuple[int, int]]) -> None:
        """Settle a step; ``unfilled`` are the legs that the last round found nobody for."""
        for advance, amount in self._waterfall.repay():
            self._recorder.repayment(step, self._recorder.spells[advance.liquidation], amount)
        if self._takes_over:
            self._waterfall.begin()
            self._take_over(step, unfilled)
        codes = np.array(list(self._spells.active), np.int64)
        equity = self._equities(codes) if codes.size else codes
        short = np.flatnonzero(equity < 0)  # no payment can make another pool short
        if short.size:
            short = short[np.lexsort((codes[short], self._ids[codes[short] % self._ids.size]))]
            self._settle(step, codes[short], -equity[short])

    def withdraw(self, step: int) -> None:
        """Let accounts withdraw at the end what the venue is short of."""
        kept = self._waterfall.withdraw_all(self._board.ticks)
        self._recorder.shared(step, -1, -1, kept)

    def _settle(self, step: int, codes: np.ndarray, deficits: np.ndarray) -> None:
        """Let the funds pay what they can of all deficits, then winners and everybody the rest."""
        spells = [self._spells.active[code] for code in codes.tolist()]
        charged = np.array([spell.charged_asset for spell in spells], np.int64)
        funded = self._waterfall.draw_on_funds(codes, charged, deficits)
        is_covered = funded == deficits
        covered = [spell for spell, done in zip(spells, is_covered, strict=True) if done]
        self._recorder.fund_payments(step, covered, funded[is_covered])
        self._spells.end_bankrupt(step, codes[is_covered])
        for place in np.flatnonzero(~is_covered).tolist():
            pool, n = divmod(int(codes[place]), self._ids.size)
            fund, left = int(funded[place]), int(deficits[place] - funded[place])
            settled = self._waterfall.settle(
                pool, n, int(charged[place]), self._board.ticks, left, spells[place].id
            )
            self._recorder.settlement(step, spells[place], fund, settled)
            self._spells.end_bankrupt(step, codes[place : place + 1])

    def _equities(self, codes: np.ndarray) -> np.ndarray:
        """Return the equity of pools after what those in deficit have pledged on chains."""
        equity, _, _ = self._spells.states(codes)
        if self._chains is None:
            return equity
        owing = codes[(equity < 0) & (codes < self._ids.size)]
        for row in np.sort(owing).tolist():
            self._chains.seize(row)
        return self._spells.states(codes)[0]

    def _take_over(self, step: int, unfilled: list[tuple[int, int]]) -> None:
        """Hand legs that the last round found nobody for to winners, while equity is left."""
        n_accounts = self._ids.size
        for code, asset in sorted(unfilled, key=lambda leg: (self._ids[leg[0] % n_accounts], leg)):
            equity, _, _ = self._spells.states(np.array([code]))
            if code not in self._spells.active or equity[0] < 0:
                continue
            spell, (pool, n) = self._spells.active[code], divmod(code, n_accounts)
            taken = self._waterfall.take_over(pool, n, asset, self._board.ticks, spell.id)
            if not taken.seized:
                continue
            self._recorder.settlement(step, spell, 0, taken)
            _, _, notional = self._spells.states(np.array([code]))
            if notional[0] == 0:
                self._spells.end(code, step, "closed")
