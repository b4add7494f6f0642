"""The liquidation engine: judge, close, mark, attribute, round after round, then settle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from stresslab.core.columns import N_GAPS
from stresslab.core.events import CAUSE_ID, CAUSES, CROSS, ISOLATED, EventLog
from stresslab.core.ledger import ADL, Conservation, clear_journal
from stresslab.core.random import Streams, uniforms
from stresslab.liquidation.alerts import Alerts
from stresslab.liquidation.closing import Closer, by_urgency
from stresslab.liquidation.execution_delay import ExecutionDelay
from stresslab.liquidation.floor import Clearing, fill_at_mark
from stresslab.liquidation.forced import Charges, make_forced_orders
from stresslab.liquidation.judgement import explain
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.liquidation.owners import owners
from stresslab.liquidation.recorder import Recorder, Spell
from stresslab.liquidation.restraints import Restraints
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.takeover import back_orders, take_over
from stresslab.liquidation.waterfall import Waterfall
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.pools import pool_states
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, rate_units
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.marks import MarkBoard


class LiquidationEngine:
    """Closes pools in breach and settles what their collateral does not cover.

    All pools of a round are judged on the same marks, so the order of accounts cannot matter; the
    order in which a round's forced orders reach the books is drawn by account id, step and round.
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
        self._rules, self._clearing, self._floor, self._board = rules, clearing, floor, board
        self._closer = Closer(margin, rules.liquidation_target, clearing, step_seconds)
        self._charges = _charges(margin, clearing)
        self._restraints = Restraints(rules, clearing, step_seconds)
        self._delay = ExecutionDelay(
            rules.execution_delay_seconds, clearing.accounts.id, clearing.accounts.cash.size,
            step_seconds, streams,
        )  # fmt: skip
        self._breaker = breaker
        self._streams, self._conservation, self._chains = streams, conservation, chains
        self._waterfall = Waterfall(
            clearing.accounts, clearing.house, clearing.journal, clearing.tables, rules
        )
        self.recorder = Recorder(clearing.accounts, log)
        n_assets, n_accounts = clearing.accounts.position.shape
        self._orders = make_forced_orders((n_assets + 1) * n_accounts)
        self._out = np.empty((n_assets + 1) * n_accounts, np.int64)
        self._spell_of = np.full((n_assets + 1) * n_accounts, -1, np.int64)
        self._active: dict[int, Spell] = {}
        levels = np.array([rate_units(level) for level in margin.call_levels], np.int64)
        self._alerts = Alerts(levels, (n_assets + 1) * n_accounts)
        self._judged_marks = board.ticks.copy()
        self._judged_tables = clearing.tables._replace(
            rate=clearing.tables.rate.copy(), portfolio=clearing.tables.portfolio.copy()
        )
        self.lowest_marks = board.ticks.copy()
        self.forced_lots = np.zeros(n_assets, np.int64)
        self.rounds = 0
        self._is_quiet = np.zeros(n_assets, bool)
        self._step = 0
        self._unfilled: list[tuple[int, int]] = []

    def pools_to_call(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of pools beyond any call level, and how many levels each crossed."""
        pools = self._suspects()
        return pools, np.minimum(self._crossed(pools), self._alerts.most)

    def _suspects(self) -> np.ndarray:
        """Return the codes of pools beyond any call level."""
        c, lowest = self._clearing, int(self._alerts.levels[0])
        return pools_short_of_margin(c.accounts, c.tables, self._board.ticks, lowest, self._out)

    def _crossed(self, pools: np.ndarray) -> np.ndarray:
        c = self._clearing
        return self._alerts.crossed(c.accounts, c.tables, self._board.ticks, pools)

    def change_feedback(self, feedback: str) -> None:
        """Let forced orders do something else to prices from now on."""
        self._rules = replace(self._rules, feedback=feedback)

    def silence(self, assets: np.ndarray) -> None:
        """Let forced orders in some assets fill at the mark, against external, from now on."""
        self._is_quiet[assets] = True

    def open_step(self) -> None:
        """Forget the counters of the last step."""
        self.rounds = 0
        self._unfilled = []
        self.forced_lots[:] = 0
        self._restraints.open_step()
        self.lowest_marks.fill(np.iinfo(np.int64).max)

    def move_marks(self, step: int, *, round_: int = 0) -> None:
        """Let the marks follow index and books; a new stage begins with the moves recorded."""
        self.recorder.stage += 1
        for asset, old in enumerate(self._board.ticks.tolist()):
            shares = self._board.update(asset, time_passes=round_ == 0)
            if shares is not None:
                new = int(self._board.ticks[asset])
                self.recorder.price_move(step, round_, asset, old, new, shares)
        np.minimum(self.lowest_marks, self._board.ticks, out=self.lowest_marks)
        self._breaker.watch(step, self._board.ticks)

    def liquidate(self, step: int, suspects: np.ndarray) -> None:
        """Run rounds until no pool is in breach, none can be closed, or the capacity is used.

        ``suspects`` are pools known to hold all that can be in breach at the current marks.
        """
        breached = self._judge(step, 0, suspects)
        if self._restraints.is_paused(step):
            return
        while breached.size and self.rounds < self._rules.rounds_per_step:
            if not self._run_round(step, breached):
                break
            breached = self._judge(step, self.rounds, None)

    def _judge(self, step: int, round_: int, suspects: np.ndarray | None) -> np.ndarray:
        """Return the codes of pools in breach; open and close spells; empty the journal."""
        c, marks = self._clearing, self._board.ticks
        if suspects is None:
            suspects = self._suspects()
        crossed = self._crossed(suspects)
        if self._chains is not None and round_ > 0:
            in_breach = suspects[crossed > self._alerts.most]
            if self._bring_over(self._chains, step, in_breach):
                crossed = self._crossed(suspects)
        is_breached = crossed > self._alerts.most
        breached = suspects[is_breached]
        fresh = breached[self._spell_of[breached] < 0]
        if fresh.size:
            self._open_spells(step, round_, fresh)
        self._close_spells(step, breached)
        self._alert(step, round_, suspects[~is_breached], crossed[~is_breached])
        clear_journal(c.journal)
        self._waterfall.trail.clear()
        self._judged_marks = marks.copy()
        self._judged_tables.rate[:] = c.tables.rate
        self._judged_tables.portfolio[:] = c.tables.portfolio
        return breached

    def _bring_over(self, chains: ChainBook, step: int, breached: np.ndarray) -> bool:
        """Let accounts in breach send what they keep on other chains; tell if any has arrived."""
        return bool(chains.send(breached[breached < self._clearing.accounts.id.size], step))

    def _open_spells(self, step: int, round_: int, fresh: np.ndarray) -> None:
        c = self._clearing
        why = explain(
            c.accounts, self._judged_tables, c.tables, c.journal, self._judged_marks,
            self._board.ticks, fresh,
        )  # fmt: skip
        pool, n = np.divmod(fresh, c.accounts.position.shape[1])
        held = c.accounts.position[:, n].T
        mode = c.accounts.mode[:, n].T
        assets = np.arange(held.shape[1])
        is_own = (mode == ISOLATED) & (pool[:, None] == 1 + assets)
        is_own |= (mode == CROSS) & (pool[:, None] == 0)
        legs = np.where(is_own, held, 0)
        loss = c.accounts.entry_cost[:, n].T - held * self._board.ticks * c.tables.unit_value
        charged = np.where(is_own, loss, np.iinfo(np.int64).min).argmax(axis=1)
        sources = self._waterfall.trail.sources(
            c.accounts, c.tables, self._judged_marks, self._board.ticks, fresh,
            why.by_reason[:, ADL],
        )  # fmt: skip
        ids = self.recorder.open_spells(step, round_, fresh, why, legs, charged, sources)
        if self._chains is not None:
            late = np.where(pool == 0, self._chains.late(n), 0)
            self.recorder.late_value(ids, late)
        self._spell_of[fresh] = ids
        self._closer.breached(step, fresh)
        self._delay.breached(step, fresh)
        np.add.at(c.accounts.n_liquidations, n, 1)
        np.add.at(c.accounts.tally[N_GAPS], n, self._alerts.were_silent(fresh))
        for code, spell in zip(fresh.tolist(), ids.tolist(), strict=True):
            self._active[code] = self.recorder.spells[spell]

    def _alert(self, step: int, round_: int, pools: np.ndarray, crossed: np.ndarray) -> None:
        """Alert those of the pools, none in breach, that crossed a level since last judged.

        Between rounds no time passes: whoever is alerted there can answer in the next step.
        """
        fresh = self._alerts.judge(pools, crossed)
        if fresh.size:
            equity, maintenance, _ = self._states(pools[fresh])
            level = self._alerts.levels[crossed[fresh] - 1] / RATE_UNIT
            self.recorder.alerts(step, round_, pools[fresh], level, equity, maintenance)

    def _close_spells(self, step: int, breached: np.ndarray) -> None:
        still = set(breached.tolist())
        over = [code for code in self._active if code not in still]
        if not over:
            return
        _, _, notional = self._states(np.array(over, np.int64))
        for code, held in zip(over, notional.tolist(), strict=True):
            self._end(code, step, "restored" if held else "closed")

    def _end(self, code: int, step: int, outcome: str) -> None:
        spell = self._active.pop(code)
        spell.end_step = step
        spell.outcome = "bankrupt" if spell.had_deficit else outcome
        self._spell_of[code] = -1

    def _states(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return equity, maintenance margin and notional of pools at the marks."""
        c = self._clearing
        return pool_states(c.accounts, c.tables, self._board.ticks, codes)

    def _run_round(self, step: int, breached: np.ndarray) -> bool:
        """Close what the breached pools must close; False if nothing could be traded."""
        c, orders, marks = self._clearing, self._orders, self._board.ticks.copy()
        served = self._served(self._delay.due(step, breached))
        self._closer.choose(step, marks, served, self._floor, orders)
        self._restraints.apply(marks, self._breaker.halted(step), orders)
        if orders.n[0] == 0:
            self._closer.settle(step, marks, orders)
            return False
        self.rounds += 1
        is_taken = bool(np.any(orders.keep[: orders.n[0]] >= 0))
        if is_taken:
            back_orders(c.accounts, c.tables, marks, orders)
        moves = self._execute(step, marks)
        if is_taken:
            self._take_over(marks)
        self._closer.settle(step, marks, orders)
        self._restraints.note_fills(marks, orders)
        n = int(orders.n[0])
        self.recorder.forced_orders(step, self.rounds, orders, self._spell_of, marks)
        np.add.at(self.forced_lots, orders.asset[:n], np.abs(orders.filled[:n]))
        found_nobody = orders.filled[:n] == 0
        legs = (orders.pool[:n][found_nobody].tolist(), orders.asset[:n][found_nobody].tolist())
        self._unfilled = list(zip(*legs, strict=True))
        self._attribute(moves)
        self.move_marks(step, round_=self.rounds)
        self._conservation.check(c.accounts, c.house, step, f"round {self.rounds}")
        return bool(np.any(orders.filled[:n]))

    def _take_over(self, marks: np.ndarray) -> None:
        """Let the fund bear the fills of orders taken over, accounts by id."""
        c, orders = self._clearing, self._orders
        n = int(orders.n[0])
        sequence = np.lexsort((orders.asset[:n], c.accounts.id[orders.account[:n]]))
        take_over(c.accounts, c.house, c.journal, c.tables, self._charges, marks, orders, sequence)

    def _served(self, breached: np.ndarray) -> np.ndarray:
        """Return the pools that the engine has capacity for: lowest equity / maintenance first."""
        limit = self._rules.pools_per_round
        if limit is None or breached.size <= limit:
            return breached
        return np.sort(by_urgency(self._clearing, self._board.ticks, breached)[:limit])

    def _execute(self, step: int, marks: np.ndarray) -> np.ndarray:
        c, orders = self._clearing, self._orders
        if self._rules.feedback == "no_feedback":
            sequence = np.arange(orders.n[0])
            fill_at_mark(
                c.accounts, c.house, c.journal, c.tables, self._charges, marks, orders, sequence
            )
            return np.zeros(marks.size)
        sequence = self._sequence(step)
        if self._rules.feedback == "slipped":
            return np.asarray(self._floor.slip(orders, sequence, self._charges, marks))
        self._withdraw()
        is_quiet = self._is_quiet[orders.asset[sequence]]
        moves = self._floor.force(orders, sequence[~is_quiet], self._charges, marks)
        if is_quiet.any():
            fill_at_mark(
                c.accounts, c.house, c.journal, c.tables, self._charges, marks, orders,
                sequence[is_quiet],
            )  # fmt: skip
        return np.asarray(moves)

    def _sequence(self, step: int) -> np.ndarray:
        n = int(self._orders.n[0])
        ids = self._clearing.accounts.id[self._orders.account[:n]]
        luck = uniforms(self._streams["forced_order"], ids, step, self.rounds)
        return np.lexsort((self._orders.asset[:n], ids, luck))

    def _withdraw(self) -> None:
        """Cancel the resting orders of every pool that is being closed."""
        n = int(self._orders.n[0])
        pools = sorted(set(self._orders.pool[:n].tolist()))
        self._floor.withdraw(np.array(pools, np.int64))

    def _attribute(self, moves: np.ndarray) -> None:
        """Tell board and floor which liquidation moved which book price, and whose flow it is."""
        for asset in np.flatnonzero(moves).tolist():
            ticks = float(moves[asset])
            if self._is_quiet[asset]:
                self._board.book_moved(asset, CAUSE_ID["quotes"], ticks)
                continue
            for cause, part in owners(self._orders, self._spell_of, asset, ticks):
                self._board.book_moved(asset, cause, part)
        if self._rules.feedback != "market":
            return
        orders, n = self._orders, int(self._orders.n[0])
        causes = len(CAUSES) + self._spell_of[orders.pool[:n]]
        flow = np.where(self._is_quiet[orders.asset[:n]], 0, orders.filled[:n])
        self._floor.own(orders.asset[:n], causes, flow)

    def settle(self, step: int) -> None:
        """Send every pool with negative equity through the waterfall, in order of account id."""
        self._step = step
        if self._restraints.is_paused(step):
            return
        for advance, amount in self._waterfall.repay():
            self.recorder.repayment(step, self.recorder.spells[advance.liquidation], amount)
        if self._rules.adl and self._rules.adl_on_exhausted_book:
            self._waterfall.begin()
            self._take_over_unfilled(step)
        if not self._active:
            return
        ids, n_accounts = self._clearing.accounts.id, self._clearing.accounts.id.size
        codes = np.array(list(self._active), np.int64)
        equity = self._equities_to_settle(codes)
        short = np.flatnonzero(equity < 0)  # no payment can make another pool short
        if not short.size:
            return
        short = short[np.lexsort((codes[short], ids[codes[short] % n_accounts]))]
        codes, deficits = codes[short], -equity[short]
        spells = [self._active[code] for code in codes.tolist()]
        charged = np.array([spell.charged_asset for spell in spells], np.int64)
        funded = self._waterfall.draw_on_funds(codes, charged, deficits)
        is_covered = funded == deficits
        covered = [spell for spell, done in zip(spells, is_covered, strict=True) if done]
        self.recorder.fund_payments(step, covered, funded[is_covered])
        self._end_bankrupt(step, codes[is_covered])
        for place in np.flatnonzero(~is_covered).tolist():
            pool, n = divmod(int(codes[place]), n_accounts)
            fund, left = int(funded[place]), int(deficits[place] - funded[place])
            settled = self._waterfall.settle(
                pool, n, int(charged[place]), self._board.ticks, left, spells[place].id
            )
            self.recorder.settlement(step, spells[place], fund, settled)
            self._end_bankrupt(step, codes[place : place + 1])

    def _equities_to_settle(self, codes: np.ndarray) -> np.ndarray:
        """Return the equity of pools after what those in deficit have pledged on chains."""
        equity, _, _ = self._states(codes)
        if self._chains is None:
            return equity
        owing = codes[(equity < 0) & (codes < self._clearing.accounts.id.size)]
        for row in np.sort(owing).tolist():
            self._chains.seize(row)
        return self._states(codes)[0]

    def _take_over_unfilled(self, step: int) -> None:
        """Hand legs that the last round found nobody for to winners, while equity is left."""
        ids, n_accounts = self._clearing.accounts.id, self._clearing.accounts.id.size
        for code, asset in sorted(self._unfilled, key=lambda leg: (ids[leg[0] % n_accounts], leg)):
            equity, _, _ = self._states(np.array([code]))
            if code not in self._active or equity[0] < 0:
                continue
            spell, (pool, n) = self._active[code], divmod(code, n_accounts)
            taken = self._waterfall.take_over(pool, n, asset, self._board.ticks, spell.id)
            if not taken.seized:
                continue
            self.recorder.settlement(step, spell, 0, taken)
            _, _, notional = self._states(np.array([code]))
            if notional[0] == 0:
                self._end(code, step, "closed")

    def _end_bankrupt(self, step: int, codes: np.ndarray) -> None:
        """End the spells, all of them with a deficit, that are flat and owe nothing any more."""
        equity, _, notional = self._states(codes)
        for code, is_over in zip(codes.tolist(), (notional == 0) & (equity >= 0), strict=True):
            self._active[code].had_deficit = True
            if is_over:
                self._end(code, step, "bankrupt")

    def finish(self) -> None:
        """Let accounts withdraw what the venue is short of, and write the spells out.

        Spells still in breach stay `open`.
        """
        c = self._clearing
        kept = self._waterfall.withdraw_all(self._board.ticks)
        self.recorder.shared(self._step, -1, -1, kept)
        self._conservation.check(c.accounts, c.house, self._step, "withdraw")
        self.recorder.finish()


def _charges(margin: MarginAndClosure, clearing: Clearing) -> Charges:
    modes = (margin.isolated, margin.isolated, margin.cross)
    penalties = [rate_units(mode.penalty_rate) for mode in modes]
    return Charges(penalty=np.array(penalties, np.int64), taker=clearing.costs.taker)
