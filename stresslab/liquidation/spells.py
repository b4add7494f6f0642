"""Who is in breach: alerts, the spells of breach that begin and end, and what began them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import N_GAPS
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import ADL, clear_journal
from stresslab.liquidation.adl_trail import AdlTrail
from stresslab.liquidation.alerts import Alerts
from stresslab.liquidation.floor import Clearing
from stresslab.liquidation.judgement import explain
from stresslab.liquidation.recorder import Recorder, Spell
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.initial_calls import Called, pools_to_call
from stresslab.margin.pools import pool_states
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, MarginTables
from stresslab.market.marks import MarkBoard

_LEAST = np.iinfo(np.int64).min


class Judgement(NamedTuple):
    """Pools in breach at the same marks; ``fresh`` are those that were not before."""

    breached: np.ndarray  # pool codes, rising
    fresh: np.ndarray  # pool codes, rising


class Spells:
    """Judges pools against the marks and keeps the spell of each that is in breach."""

    def __init__(
        self,
        levels: np.ndarray,
        clearing: Clearing,
        board: MarkBoard,
        recorder: Recorder,
        trail: AdlTrail,
        chains: ChainBook | None,
    ) -> None:
        n_pools = clearing.accounts.cash.size
        self.active: dict[int, Spell] = {}
        self.of_pool = np.full(n_pools, -1, np.int64)  # number of the spell, -1 for none
        self._clearing, self._board, self._chains = clearing, board, chains
        self._recorder, self._trail = recorder, trail
        self._alerts = Alerts(levels, n_pools)
        self._out = np.zeros(n_pools, np.int64)
        self._judged_marks = board.ticks.copy()
        tables = clearing.tables
        self._judged_tables = tables._replace(
            rate=tables.rate.copy(), portfolio=tables.portfolio.copy()
        )
        self._has_kept_tables = False

    def pools_to_call(self, below_initial: bool = False) -> Called:
        """Return the pools beyond any call level, or below initial margin too, and their levels."""
        c, marks = self._clearing, self._board.ticks
        if below_initial:
            return pools_to_call(c.accounts, c.tables, marks, self._alerts.levels, self._out)
        pools = self._suspects()
        return Called(pools, pools, np.minimum(self._crossed(pools), self._alerts.most))

    def states(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return equity, maintenance margin and notional of pools at the marks."""
        c = self._clearing
        return pool_states(c.accounts, c.tables, self._board.ticks, codes)

    def judge(self, step: int, round_: int, suspects: np.ndarray | None) -> Judgement:
        """Find the pools in breach; begin and end spells; alert; empty the journal.

        ``suspects`` are pools known to hold all that can be in breach, None to look at all.
        """
        if suspects is None:
            suspects = self._suspects()
        crossed = self._crossed(suspects)
        if self._chains is not None and round_ > 0:
            in_breach = suspects[crossed > self._alerts.most]
            if self._bring_over(self._chains, step, in_breach):
                crossed = self._crossed(suspects)
        is_breached = crossed > self._alerts.most
        breached = suspects[is_breached]
        fresh = breached[self.of_pool[breached] < 0]
        if fresh.size:
            self._begin(step, round_, fresh)
        self._end_others(step, breached)
        self._alert(step, round_, suspects[~is_breached], crossed[~is_breached])
        self._remember()
        return Judgement(breached, fresh)

    def end(self, code: int, step: int, outcome: str) -> None:
        """End a pool's spell; whoever had a deficit on the way ends bankrupt."""
        spell = self.active.pop(code)
        spell.end_step = step
        spell.outcome = "bankrupt" if spell.had_deficit else outcome
        self.of_pool[code] = -1

    def end_bankrupt(self, step: int, codes: np.ndarray) -> None:
        """End the spells, all of them with a deficit, that are flat and owe nothing any more."""
        equity, _, notional = self.states(codes)
        for code, is_over in zip(codes.tolist(), (notional == 0) & (equity >= 0), strict=True):
            self.active[code].had_deficit = True
            if is_over:
                self.end(code, step, "bankrupt")

    def _suspects(self) -> np.ndarray:
        """Return the codes of pools beyond any call level."""
        c, lowest = self._clearing, int(self._alerts.levels[0])
        return pools_short_of_margin(c.accounts, c.tables, self._board.ticks, lowest, self._out)

    def _crossed(self, pools: np.ndarray) -> np.ndarray:
        c = self._clearing
        return self._alerts.crossed(c.accounts, c.tables, self._board.ticks, pools)

    def _bring_over(self, chains: ChainBook, step: int, breached: np.ndarray) -> bool:
        """Let accounts in breach send what they keep on other chains; tell if any has arrived."""
        return bool(chains.send(breached[breached < self._clearing.accounts.id.size], step))

    def _begin(self, step: int, round_: int, fresh: np.ndarray) -> None:
        c = self._clearing
        why = explain(
            c.accounts, self._judged_tables, c.tables, c.journal, self._judged_marks,
            self._board.ticks, fresh,
        )  # fmt: skip
        pool, n = np.divmod(fresh, c.accounts.position.shape[1])
        legs, charged = self._legs(pool, n)
        sources = self._trail.sources(
            c.accounts, c.tables, self._judged_marks, self._board.ticks, fresh,
            why.by_reason[:, ADL],
        )  # fmt: skip
        ids = self._recorder.open_spells(step, round_, fresh, why, legs, charged, sources)
        if self._chains is not None:
            late = np.where(pool == 0, self._chains.late(n), 0)
            self._recorder.late_value(ids, late)
        self.of_pool[fresh] = ids
        np.add.at(c.accounts.n_liquidations, n, 1)
        np.add.at(c.accounts.tally[N_GAPS], n, self._alerts.were_silent(fresh))
        for code, spell in zip(fresh.tolist(), ids.tolist(), strict=True):
            self.active[code] = self._recorder.spells[spell]

    def _legs(self, pool: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lots of every pool's legs, (pools, A), and the asset with its largest loss."""
        c = self._clearing
        held, mode = c.accounts.position[:, n].T, c.accounts.mode[:, n].T
        is_own = (mode == ISOLATED) & (pool[:, None] == 1 + np.arange(held.shape[1]))
        is_own |= (mode == CROSS) & (pool[:, None] == 0)
        loss = c.accounts.entry_cost[:, n].T - held * self._board.ticks * c.tables.unit_value
        charged = np.where(is_own, loss, _LEAST).argmax(axis=1)
        return np.where(is_own, held, 0), charged

    def _end_others(self, step: int, breached: np.ndarray) -> None:
        still = set(breached.tolist())
        over = [code for code in self.active if code not in still]
        if not over:
            return
        _, _, notional = self.states(np.array(over, np.int64))
        for code, held in zip(over, notional.tolist(), strict=True):
            self.end(code, step, "restored" if held else "closed")

    def _alert(self, step: int, round_: int, pools: np.ndarray, crossed: np.ndarray) -> None:
        """Alert those of the pools, none in breach, that crossed a level since last judged.

        Between rounds no time passes: whoever is alerted there can answer in the next step.
        """
        fresh = self._alerts.judge(pools, crossed)
        if fresh.size:
            equity, maintenance, _ = self.states(pools[fresh])
            level = self._alerts.levels[crossed[fresh] - 1] / RATE_UNIT
            self._recorder.alerts(step, round_, pools[fresh], level, equity, maintenance)

    def _remember(self) -> None:
        """Keep what was judged on; what comes from here on explains the next breaches."""
        clear_journal(self._clearing.journal)
        self._trail.clear()
        self._judged_marks = self._board.ticks.copy()
        self._judged_tables.rate[:] = self._clearing.tables.rate
        self._judged_tables.portfolio[:] = self._clearing.tables.portfolio
        if self._has_kept_tables:
            self.keep_tables()
            self._has_kept_tables = False

    def keep_tables(self) -> None:
        """Keep all tables as they are, before other rules are written into them.

        By themselves rates and grids alone change.
        """
        self._judged_tables = MarginTables(*(t.copy() for t in self._clearing.tables))
        self._has_kept_tables = True
