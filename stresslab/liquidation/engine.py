"""The liquidation engine: judge, close, mark, round after round, then settle."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.events import EventLog
from stresslab.core.ledger import Conservation
from stresslab.core.random import Streams
from stresslab.liquidation.floor import Clearing
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.liquidation.recorder import Recorder
from stresslab.liquidation.rounds import Rounds
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.settlement import Settlement
from stresslab.liquidation.spells import Spells
from stresslab.liquidation.waterfall import Waterfall
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.tiers import rate_units
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.marks import MarkBoard

_HIGHEST = np.iinfo(np.int64).max


class LiquidationEngine:
    """Closes pools in breach and settles what their collateral does not cover.

    All pools of a round are judged on the same marks, so the order of accounts cannot matter.
    """

    def __init__(
        self,
        rules: LiquidationRules,
        margin: MarginAndClosure,
        clearing: Clearing,
        floor: Any,
        board: MarkBoard,
        log: EventLog,
        streams: Streams,
        conservation: Conservation,
        breaker: CircuitBreaker,
        step_seconds: float,
        chains: ChainBook | None = None,
    ) -> None:
        self._most_rounds = rules.rounds_per_step
        self._clearing, self._board, self._breaker = clearing, board, breaker
        self._conservation = conservation
        self.recorder = Recorder(clearing.accounts, log)
        waterfall = Waterfall(
            clearing.accounts, clearing.house, clearing.journal, clearing.tables, rules
        )
        levels = np.array([rate_units(level) for level in margin.call_levels], np.int64)
        self.spells = Spells(levels, clearing, board, self.recorder, waterfall.trail, chains)
        self.closing = Rounds(
            rules, margin, clearing, floor, board, self.recorder, streams, breaker, step_seconds
        )
        self._settlement = Settlement(
            rules, clearing, board, self.spells, waterfall, self.recorder, chains
        )
        self.lowest_marks = board.ticks.copy()
        self.rounds = 0

    def open_step(self) -> None:
        """Forget the counters of the last step."""
        self.rounds = 0
        self.closing.open_step()
        self.lowest_marks.fill(_HIGHEST)

    def move_marks(self, step: int, *, round_: int = 0) -> None:
        """Let the marks follow index and books; a new stage begins with the moves recorded."""
        self.recorder.stage += 1
        moves = []
        for asset in self._board.stirred():
            old = int(self._board.ticks[asset])
            shares = self._board.update(asset, time_passes=round_ == 0)
            if shares is not None:
                moves.append((asset, old, int(self._board.ticks[asset]), shares))
        self.recorder.price_moves(step, round_, moves)
        np.minimum(self.lowest_marks, self._board.ticks, out=self.lowest_marks)
        self._breaker.watch(step, self._board.ticks)

    def liquidate(self, step: int, suspects: np.ndarray) -> None:
        """Run rounds until no pool is in breach, none can be closed, or the capacity is used.

        ``suspects`` are pools known to hold all that can be in breach at the current marks.
        """
        breached = self._judge(step, suspects)
        if self.closing.is_paused(step):
            return
        while breached.size and self.rounds < self._most_rounds:
            if not self._run_round(step, breached):
                break
            breached = self._judge(step, None)

    def _judge(self, step: int, suspects: np.ndarray | None) -> np.ndarray:
        """Return the codes of pools in breach."""
        breached, fresh = self.spells.judge(step, self.rounds, suspects)
        if fresh.size:
            self.closing.breached(step, fresh)
        return breached

    def _run_round(self, step: int, breached: np.ndarray) -> bool:
        """Close what the breached pools must close; False if nothing could be traded."""
        if not self.closing.choose(step, breached):
            return False
        self.rounds += 1
        has_traded = self.closing.trade(step, self.rounds, self.spells.of_pool)
        self.move_marks(step, round_=self.rounds)
        c = self._clearing
        self._conservation.check(c.accounts, c.house, step, f"round {self.rounds}")
        return has_traded

    def settle(self, step: int) -> None:
        """Send every pool with negative equity through the waterfall, in order of account id."""
        if not self.closing.is_paused(step):
            self._settlement.settle(step, self.closing.unfilled)

    def finish(self, step: int) -> None:
        """Let accounts withdraw, after the last step, what the venue is short of; write the spells.

        Spells still in breach stay `open`.
        """
        c = self._clearing
        self._settlement.withdraw(step)
        self._conservation.check(c.accounts, c.house, step, "withdraw")
        self.recorder.finish()
