"""One round of liquidation: what pools in breach must close is chosen, traded and attributed."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.events import CAUSE_ID, CAUSES
from stresslab.core.random import Streams, uniforms
from stresslab.liquidation.closing import Closer, by_urgency
from stresslab.liquidation.execution_delay import ExecutionDelay
from stresslab.liquidation.floor import Clearing, fill_at_mark
from stresslab.liquidation.forced import Charges, make_forced_orders
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.liquidation.owners import owners
from stresslab.liquidation.recorder import Recorder
from stresslab.liquidation.restraints import Restraints
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.takeover import back_orders, take_over
from stresslab.margin.tiers import rate_units
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.marks import MarkBoard


class Rounds:
    """Sends the forced orders of a round to the books and tells the board who moved them.

    The order in which they reach the books is drawn by account id, step and round. ``feedback``
    says what they do to prices; ``forced_lots`` (A,) counts what they filled in the step;
    ``unfilled`` are the legs (pool code, asset) that the last round found nobody for.
    """

    def __init__(
        self,
        rules: LiquidationRules,
        margin: MarginAndClosure,
        clearing: Clearing,
        floor: Any,
        board: MarkBoard,
        recorder: Recorder,
        streams: Streams,
        breaker: CircuitBreaker,
        step_seconds: float,
    ) -> None:
        n_assets, n_pools = clearing.accounts.position.shape[0], clearing.accounts.cash.size
        self.feedback = rules.feedback
        self.forced_lots = np.zeros(n_assets, np.int64)
        self.unfilled: list[tuple[int, int]] = []
        self.charges = _charges(margin, clearing)
        self._clearing, self._floor, self._board = clearing, floor, board
        self._recorder, self._streams, self._breaker = recorder, streams, breaker
        self._closer = Closer(margin, rules.liquidation_target, clearing, step_seconds)
        self._restraints = Restraints(rules, clearing, step_seconds)
        self._delay = ExecutionDelay(
            rules.execution_delay_seconds, clearing.accounts.id, n_pools, step_seconds, streams
        )
        self._capacity = rules.pools_per_round
        self._is_quiet = np.zeros(n_assets, bool)
        self._orders = make_forced_orders(n_pools)

    def silence(self, assets: np.ndarray) -> None:
        """Let forced orders in some assets fill at the mark, against external, from now on."""
        self._is_quiet[assets] = True

    def open_step(self) -> None:
        """Forget the counters of the last step."""
        self.unfilled = []
        self.forced_lots[:] = 0
        self._restraints.open_step()

    def is_paused(self, step: int) -> bool:
        """Tell whether nothing is liquidated in a step."""
        return self._restraints.is_paused(step)

    def breached(self, step: int, fresh: np.ndarray) -> None:
        """Start the clocks of pools that have come into breach."""
        self._closer.breached(step, fresh)
        self._delay.breached(step, fresh)

    def choose(self, step: int, breached: np.ndarray) -> bool:
        """Choose what the breached pools must close; False if there is nothing to send."""
        orders, marks = self._orders, self._board.ticks.copy()
        served = self._served(self._delay.due(step, breached))
        self._closer.choose(step, marks, served, self._floor, orders)
        self._restraints.apply(marks, self._breaker.halted(step), orders)
        if orders.n[0] == 0:
            self._closer.settle(step, marks, orders)
        return bool(orders.n[0] > 0)

    def trade(self, step: int, round_: int, of_pool: np.ndarray) -> bool:
        """Trade what was chosen; False if nobody was found for any of it.

        ``of_pool`` (pools * N,) is the number of every pool's spell.
        """
        c, orders, marks = self._clearing, self._orders, self._board.ticks.copy()
        n = int(orders.n[0])
        is_taken = bool(np.any(orders.keep[:n] >= 0))
        if is_taken:
            back_orders(c.accounts, c.tables, marks, orders)
        moves = self._execute(step, round_, marks)
        if is_taken:
            self._take_over(marks)
        self._closer.settle(step, marks, orders)
        self._restraints.note_fills(marks, orders)
        self._recorder.forced_orders(step, round_, orders, of_pool, marks)
        self._count(n)
        self._attribute(moves, of_pool)
        return bool(np.any(orders.filled[:n]))

    def _count(self, n: int) -> None:
        orders = self._orders
        np.add.at(self.forced_lots, orders.asset[:n], np.abs(orders.filled[:n]))
        found_nobody = orders.filled[:n] == 0
        legs = (orders.pool[:n][found_nobody].tolist(), orders.asset[:n][found_nobody].tolist())
        self.unfilled = list(zip(*legs, strict=True))

    def _take_over(self, marks: np.ndarray) -> None:
        """Let the fund bear the fills of orders taken over, accounts by id."""
        c, orders = self._clearing, self._orders
        n = int(orders.n[0])
        sequence = np.lexsort((orders.asset[:n], c.accounts.id[orders.account[:n]]))
        take_over(c.accounts, c.house, c.journal, c.tables, self.charges, marks, orders, sequence)

    def _served(self, breached: np.ndarray) -> np.ndarray:
        """Return the pools that the engine has capacity for: lowest equity / maintenance first."""
        limit = self._capacity
        if limit is None or breached.size <= limit:
            return breached
        return np.sort(by_urgency(self._clearing, self._board.ticks, breached)[:limit])

    def _execute(self, step: int, round_: int, marks: np.ndarray) -> np.ndarray:
        orders = self._orders
        if self.feedback == "no_feedback":
            self._fill_at_mark(np.arange(orders.n[0]), marks)
            return np.zeros(marks.size)
        sequence = self._sequence(step, round_)
        if self.feedback == "slipped":
            return np.asarray(self._floor.slip(orders, sequence, self.charges, marks))
        self._withdraw()
        is_quiet = self._is_quiet[orders.asset[sequence]]
        moves = self._floor.force(orders, sequence[~is_quiet], self.charges, marks)
        if is_quiet.any():
            self._fill_at_mark(sequence[is_quiet], marks)
        return np.asarray(moves)

    def _fill_at_mark(self, sequence: np.ndarray, marks: np.ndarray) -> None:
        c = self._clearing
        fill_at_mark(
            c.accounts, c.house, c.journal, c.tables, self.charges, marks, self._orders, sequence
        )

    def _sequence(self, step: int, round_: int) -> np.ndarray:
        n = int(self._orders.n[0])
        ids = self._clearing.accounts.id[self._orders.account[:n]]
        luck = uniforms(self._streams["forced_order"], ids, step, round_)
        return np.lexsort((self._orders.asset[:n], ids, luck))

    def _withdraw(self) -> None:
        """Cancel the resting orders of every pool that is being closed."""
        pools = sorted(set(self._orders.pool[: self._orders.n[0]].tolist()))
        self._floor.withdraw(np.array(pools, np.int64))

    def _attribute(self, moves: np.ndarray, of_pool: np.ndarray) -> None:
        """Tell board and floor which liquidation moved which book price, and whose flow it is."""
        for asset in np.flatnonzero(moves).tolist():
            ticks = float(moves[asset])
            if self._is_quiet[asset]:
                self._board.book_moved(asset, CAUSE_ID["quotes"], ticks)
                continue
            for cause, part in owners(self._orders, of_pool, asset, ticks):
                self._board.book_moved(asset, cause, part)
        if self.feedback != "market":
            return
        orders, n = self._orders, int(self._orders.n[0])
        causes = len(CAUSES) + of_pool[orders.pool[:n]]
        flow = np.where(self._is_quiet[orders.asset[:n]], 0, orders.filled[:n])
        self._floor.own(orders.asset[:n], causes, flow)


def _charges(margin: MarginAndClosure, clearing: Clearing) -> Charges:
    modes = (margin.isolated, margin.isolated, margin.cross)
    penalties = [rate_units(mode.penalty_rate) for mode in modes]
    return Charges(penalty=np.array(penalties, np.int64), taker=clearing.costs.taker)
