"""The model: one market of traders, stepped through the list of calls that the model page shows."""

from __future__ import annotations

import mesa
import numpy as np

from stresslab.core.columns import Orders, emptied, make_orders
from stresslab.core.events import EventLog
from stresslab.core.ledger import Conservation
from stresslab.core.random import Streams
from stresslab.liquidation.engine import LiquidationEngine
from stresslab.liquidation.sequence import sequence_by_trader
from stresslab.margin.calls import Answers, send_margin_calls
from stresslab.margin.funding import pay_funding
from stresslab.margin.initial_calls import Called
from stresslab.margin.stops import StopBook, are_watched, look_at_stops
from stresslab.margin.tiers import RATE_UNIT, lowest_initial_rates, rate_units
from stresslab.market.funding import (
    PremiumAverage,
    funding_rate,
    margin_cap,
    sampled_premiums,
)
from stresslab.market.view import look
from stresslab.model.change import Change
from stresslab.model.halts import admit, hold_back
from stresslab.model.opening import open_world
from stresslab.model.recording import Recording
from stresslab.model.sight import sight_of
from stresslab.model.world import World
from stresslab.scenario import Scenario
from stresslab.traders.agents import make_agents, release


class StressModel(mesa.Model):  # type: ignore[misc]
    """A market of traders in a scenario; ``run`` returns its event log.

    Parameters
    ----------
    scenario : everything the run is made from
    seed, replicate : where all its draws are addressed; nothing else is random

    Examples
    --------
    ``StressModel(scenario, seed=1, replicate=0).run().columns("liquidations")``
    """

    def __init__(self, scenario: Scenario, *, seed: int, replicate: int) -> None:
        super().__init__(rng=seed)
        self._scenario = scenario
        self.streams = Streams(seed, replicate)
        self.log = EventLog()
        self.clock = 0
        self._n_burn_in = scenario.n_burn_in
        self.world: World = open_world(scenario, self.streams)
        make_agents(self, self.world.crowd.groups)
        w = self.world
        self.conservation = Conservation(w.clearing.accounts, w.clearing.house)
        self.engine = LiquidationEngine(
            scenario.liquidation, scenario.margin, w.clearing, w.floor, w.board, self.log,
            self.streams, self.conservation, w.breaker, scenario.step_seconds, w.chains,
        )  # fmt: skip
        self._stops = make_orders(2 * w.clearing.accounts.position.size)  # some wait for a halt
        self._change = Change(scenario.counterfactual, w, self.engine, list(scenario.assets))
        self._change.before_step(None, self._stops)
        self.recording = Recording(scenario, w, self.engine, self.log)
        self._orders = w.crowd.orders
        self._stop_book = StopBook(*(getattr(w.crowd.columns, name) for name in StopBook._fields))
        self._cuts = make_orders(0)
        self._watched = np.zeros((3, len(scenario.assets)), np.int64)
        self._answers = Answers(*(getattr(w.crowd.columns, name) for name in Answers._fields))
        self._premium = PremiumAverage(
            scenario.market.funding, len(scenario.assets), scenario.step_seconds
        )
        self._suspects = np.empty(0, np.int64)
        self._seconds_to_funding = scenario.market.funding.interval_seconds
        self._open_books()

    def run(self) -> EventLog:
        """Step to the end of the scenario and return everything that happened."""
        for _ in range(self._scenario.n_steps):
            self.step()
        self.engine.finish(self.recorded_step)
        self.recording.finish()
        if self.world.chains is not None:
            self.world.chains.finish(self.log)
        release(self)
        return self.log

    def step(self) -> None:
        """One step of the market, in this order and no other."""
        self.clock += 1
        self.open_step()
        self.index()
        self.decide()
        self.match()
        self.mark()
        self.requirement()
        self.margin()
        self.liquidate()
        self.settle()
        self.fund()
        self.record()

    def open_step(self) -> None:
        """Make the change of a counterfactual twin if its step has come; start counting anew."""
        self._change.before_step(self.recorded_step, self._stops)
        self.engine.open_step()

    @property
    def recorded_step(self) -> int:
        """The step as the event log counts it: 1 is the first after the burn-in."""
        return self.clock - self._n_burn_in

    def index(self) -> None:
        """Let the exogenous price move, and what earlier flow displaced come back."""
        w = self.world
        new = w.index[self.clock]
        w.oracle_now[:] = w.oracle[self.clock]
        moves = (w.oracle_now - w.oracle[self.clock - 1]).tolist()
        for asset, ticks in enumerate(moves):
            w.board.index_moved(asset, float(ticks))
        self._book_moved(w.floor.open_step(new, self._scenario.step_seconds))
        w.market.index[:] = new
        w.market.step[0] = self.clock
        w.floor.quotes(w.market.best_bid, w.market.best_ask)

    def decide(self) -> None:
        """Ask the traders whose turn it is."""
        self._orders = self.world.crowd.decide(self.clock)
        self._change.after_choice()

    def match(self) -> None:
        """Send the stops and cuts of the last step, then the orders, traders in drawn order."""
        self._send(self._stops, "stop_order")
        hold_back(self._stops, self.world.breaker.closed(self.recorded_step))
        self._send(self._cuts, "cut_order")
        self._send(self._orders, "order")
        self._check("match")

    def mark(self) -> None:
        """Set the mark prices from index and books."""
        self.engine.move_marks(self.recorded_step)

    def requirement(self) -> None:
        """Let margin rates follow the market, where a rule says so."""
        w = self.world
        if w.rates.is_fixed:
            return
        seconds = self.recorded_step * self._scenario.step_seconds
        if w.rates.update(sight_of(w, seconds)):
            w.market.initial_rate[:] = lowest_initial_rates(w.clearing.tables)
            self.recording.add_ons(self.recorded_step)

    def margin(self) -> None:
        """Land transfers, send margin calls, take top-ups, trigger stop orders."""
        w, c = self.world, self.world.clearing
        marks = w.board.ticks
        called = self._pools_to_call()
        self._suspects = called.short
        self._cuts = emptied(self._cuts, called.pools.size * marks.size)
        send_margin_calls(
            c.accounts, c.house, c.journal, c.tables, marks, called.pools, called.levels, w.called,
            self._answers, self._cuts, self.streams["topup"], self.clock,
        )  # fmt: skip
        if self._change.ignores_stops or not are_watched(self._stop_book):
            return
        for row, prices in enumerate((marks, w.floor.last_trades(), w.oracle_now)):
            self._watched[row] = prices
        look_at_stops(c.accounts, self._watched, self._stop_book, self._stops)

    def _pools_to_call(self) -> Called:
        """Return the pools to call and their levels, after what comes over from other chains."""
        chains, step, spells = self.world.chains, self.recorded_step, self.engine.spells
        below_initial = self._scenario.margin.call_below_initial
        if chains is not None:
            chains.arrive(step)
        called = spells.pools_to_call(below_initial)
        if chains is None:
            return called
        wallets = called.short[called.short < chains.accounts.id.size]
        return spells.pools_to_call(below_initial) if chains.send(wallets, step) else called

    def liquidate(self) -> None:
        """Close pools in breach, round after round."""
        self.engine.liquidate(self.recorded_step, self._suspects)

    def settle(self) -> None:
        """Send deficits through the waterfall."""
        self.engine.settle(self.recorded_step)
        self._check("settle")

    def fund(self) -> None:
        """Pay funding when its interval is over."""
        w, rules = self.world, self._scenario.market.funding
        c = w.clearing
        self._premium.add(sampled_premiums(rules, w.floor, w.oracle_now, c.tables.unit_value))
        self._seconds_to_funding -= self._scenario.step_seconds
        if self._seconds_to_funding > 0:
            return
        self._seconds_to_funding += rules.interval_seconds
        rates = [
            rate_units(funding_rate(average, rules, self._margin_cap(asset)))
            for asset, average in enumerate(self._premium.take())
        ]
        pay_funding(
            c.accounts, c.house, c.journal, c.tables, w.oracle_now, np.array(rates, np.int64)
        )
        self._check("fund")

    def _margin_cap(self, asset: int) -> float:
        """Return the largest funding rate that an asset's lowest margin rates allow."""
        tables = self.world.clearing.tables
        initial, maintenance = tables.initial[asset, 0], tables.rate[asset, 0]
        rules = self._scenario.market.funding
        return margin_cap(rules, initial / RATE_UNIT, maintenance / RATE_UNIT)

    def record(self) -> None:
        """Write the state of the step, and let traders see its marks from the next one on."""
        w = self.world
        self.recording.step(self.clock)
        look(w.market, w.market.index, w.board.ticks, w.fading)

    def _open_books(self) -> None:
        """Let those who make the market quote before the first step, against empty books."""
        w = self.world
        w.floor.quotes(w.market.best_bid, w.market.best_ask)
        self._orders = w.crowd.open_books()
        self._send(self._orders, "order")

    def _send(self, orders: Orders, stream: str) -> None:
        if orders.n[0] == 0:
            return
        w = self.world
        ids = w.clearing.accounts.id
        sequence = sequence_by_trader(ids, orders, self.streams[stream], self.clock)
        closed = w.breaker.closed(self.recorded_step)
        if closed.any():
            sequence = admit(orders, sequence, closed, w.floor)
        self._book_moved(w.floor.match(orders, sequence, w.board.ticks))
        self.recording.requests(self.recorded_step, orders)

    def _book_moved(self, moves: list[tuple[int, int, float]]) -> None:
        for asset, cause, ticks in moves:
            self.world.board.book_moved(asset, cause, ticks)

    def _check(self, stage: str) -> None:
        c = self.world.clearing
        self.conservation.check(c.accounts, c.house, self.recorded_step, stage)
        self.recording.balances(self.recorded_step, stage)
        if self.world.chains is not None:
            self.world.chains.check(self.recorded_step, stage)
