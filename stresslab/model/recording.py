"""Writes the state of the market, step by step and at both ends of the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.columns import CANCEL_ALL, SET_MODE, Orders
from stresslab.core.events import CROSS, MODES, EventLog
from stresslab.core.ledger import EXTERNAL, FEES, FIRST_OWN_FUND, HOUSE_ACCOUNTS, fund_total
from stresslab.liquidation.engine import LiquidationEngine
from stresslab.margin.liquidation_map import FALLS, RISES, liquidation_map
from stresslab.margin.pools import account_equities
from stresslab.margin.requests import ANSWERS
from stresslab.margin.tiers import RATE_UNIT
from stresslab.model.sight import open_interest
from stresslab.model.world import World
from stresslab.scenario import Scenario

_PATH = (
    "index_ticks",
    "mark_ticks",
    "lowest_mark_ticks",
    "best_bid_ticks",
    "best_ask_ticks",
    "bid_depth_lots",
    "ask_depth_lots",
    "open_interest_lots",
    "volume_lots",
    "forced_lots",
    "insurance_fund_micro_usd",
    "is_halted",
)
_TOTALS = (
    "insurance_fund_micro_usd",
    "fees_micro_usd",
    "external_micro_usd",
    "rounds",
    "postings",
)


class Recording:
    """Rows of the tables ``path`` and ``totals``, and the tables of the two ends of a run."""

    def __init__(
        self, scenario: Scenario, world: World, engine: LiquidationEngine, log: EventLog
    ) -> None:
        self._scenario, self._world, self._engine, self._log = scenario, world, engine, log
        n_steps, n_assets = scenario.n_steps, len(scenario.assets)
        self._path = {name: np.zeros((n_steps, n_assets), np.int64) for name in _PATH}
        self._totals = {name: np.zeros(n_steps, np.int64) for name in _TOTALS}
        self._bids, self._asks = np.zeros(n_assets, np.int64), np.zeros(n_assets, np.int64)
        self._record_assets()
        self._record_shocks()
        if not world.rates.is_fixed:
            self.add_ons(-scenario.n_burn_in)
        self.balances(-scenario.n_burn_in, "open")
        if scenario.n_burn_in == 0:
            self._take_stock()

    def step(self, clock: int) -> None:
        """Record the end of a step; the stock is taken when the burn-in is over."""
        row, w, c = clock - 1, self._world, self._world.clearing
        w.floor.quotes(self._bids, self._asks)
        bid_depth, ask_depth = w.floor.depths(w.board.ticks)
        values = (
            w.market.index,
            w.board.ticks,
            np.minimum(self._engine.lowest_marks, w.board.ticks),
            self._bids,
            self._asks,
            bid_depth,
            ask_depth,
            open_interest(w),
            w.floor.volume,
            self._engine.closing.forced_lots,
            c.house.cash[FIRST_OWN_FUND:],
            w.breaker.halted(clock - self._scenario.n_burn_in),
        )
        for name, value in zip(_PATH, values, strict=True):
            self._path[name][row] = value
        money = c.house.cash
        external = money[EXTERNAL] + np.sum(c.house.position * w.board.ticks * c.tables.unit_value)
        totals = (
            fund_total(c.house),
            money[FEES],
            external,
            self._engine.rounds,
            c.house.postings[0],
        )
        for name, value in zip(_TOTALS, totals, strict=True):
            self._totals[name][row] = value
        if clock == self._scenario.n_burn_in:
            self._take_stock()

    def balances(self, step: int, stage: str) -> None:
        """Record what everybody and the house hold after a stage, where the scenario asks."""
        if not self._scenario.record_balances:
            return
        accounts = self._world.clearing.accounts
        wallets = np.zeros_like(accounts.position[:1])
        lots = np.concatenate([wallets, accounts.position])
        modes = np.concatenate([wallets + CROSS, accounts.mode])
        pools, rows = np.nonzero((accounts.cash != 0) | (lots != 0))
        self._balances(step, stage, "account", accounts.id[rows], pools - 1,
                       np.array(MODES, object)[modes[pools, rows]],
                       accounts.cash[pools, rows], lots[pools, rows])  # fmt: skip
        cash, held = self._world.clearing.house.cash, self._world.clearing.house.position
        own, assets = np.array(HOUSE_ACCOUNTS, object), np.arange(held.size)
        self._balances(step, stage, own, -1, -1, "flat", cash[:FIRST_OWN_FUND].copy(), 0)
        funds = cash[FIRST_OWN_FUND:].copy()
        self._balances(step, stage, "insurance_fund", -1, assets, "flat", funds, 0)
        self._balances(step, stage, "external", -1, assets, "flat", 0, held.copy())

    def _balances(self, step: int, stage: str, *columns: Any) -> None:
        names = ("holder", "account", "asset", "mode", "cash_micro_usd", "lots")
        row = dict(zip(names, columns, strict=True))
        self._log.append("balances", step=step, stage=stage, **row)

    def add_ons(self, step: int) -> None:
        """Record what is added to the margin rates of every perpetual."""
        tables, (initial, maintenance) = self._world.clearing.tables, self._world.rates.add_ons()
        assets = np.flatnonzero(tables.is_spot == 0)
        self._log.append(
            "requirements",
            step=step,
            asset=assets,
            initial_add_on=initial[assets] / RATE_UNIT,
            maintenance_add_on=maintenance[assets] / RATE_UNIT,
        )

    def requests(self, step: int, orders: Orders) -> None:
        """Record what traders asked for beside orders, with the venue's answers."""
        kinds = orders.kind[: orders.n[0]]
        rows = (kinds > CANCEL_ALL).nonzero()[0]
        if rows.size == 0:
            return
        lots, is_mode = orders.lots[rows], kinds[rows] == SET_MODE
        directions = np.where(lots > 0, "add", "withdraw")
        modes = np.array(MODES)[np.where(is_mode, lots, 0)]
        self._log.append(
            "requests",
            step=step,
            account=self._world.clearing.accounts.id[orders.trader[rows]],
            asset=orders.asset[rows],
            request=np.where(is_mode, modes, directions).astype(object),
            amount_micro_usd=np.where(is_mode, 0, np.abs(lots)),
            answer=np.array(ANSWERS, object)[orders.price[rows]],
        )

    def finish(self) -> None:
        """Write the paths and what everybody ends with."""
        n_steps, n_assets = self._scenario.n_steps, len(self._scenario.assets)
        steps = np.arange(1, n_steps + 1) - self._scenario.n_burn_in
        self._log.append(
            "path",
            step=np.repeat(steps, n_assets),
            asset=np.tile(np.arange(n_assets), n_steps),
            **{name: column.ravel() for name, column in self._path.items()},
        )
        seconds = steps * self._scenario.step_seconds
        self._log.append("totals", step=steps, seconds=seconds, **self._totals)
        self._record_accounts()
        self._record_positions()
        self._record_counts()

    def _record_assets(self) -> None:
        for place, (name, asset) in enumerate(self._scenario.assets.items()):
            self._log.append(
                "assets",
                asset=place,
                name=name,
                kind=asset.kind,
                tick_size_usd=asset.tick_size_usd,
                lot_size=asset.lot_size,
                unit_value_micro_usd=asset.unit_value,
                initial_price_ticks=asset.initial_ticks,
            )

    def _record_shocks(self) -> None:
        names, length = list(self._scenario.assets), self._scenario.step_seconds
        for shock in self._scenario.market.shocks.values():
            first = int(-(-shock.at_seconds // length))
            last = int(-(-(shock.at_seconds + shock.over_seconds) // length))
            for name in shock.assets:
                self._log.append(
                    "shocks",
                    asset=names.index(name),
                    fall=shock.fall,
                    first_step=first,
                    last_step=last,
                )

    def _take_stock(self) -> None:
        """Remember wealth and positions, and draw the liquidation map, before anything happens."""
        w, c = self._world, self._world.clearing
        marks = w.board.ticks
        self._wealth = self._equities(marks)
        self._held, self._modes = c.accounts.position.copy(), c.accounts.mode.copy()
        self._notional = np.abs(self._held) * (marks * c.tables.unit_value)[:, None]
        for moves in (FALLS, RISES):
            notional, pools = liquidation_map(c.accounts, c.tables, marks, moves)
            assets, modes, places = np.nonzero(pools)
            self._log.append(
                "liquidation_map",
                asset=assets,
                mode=np.array([MODES[m] for m in modes], object),
                move=moves[places] / 1000,
                notional_micro_usd=notional[assets, modes, places],
                pools=pools[assets, modes, places],
            )

    def _equities(self, prices: np.ndarray) -> np.ndarray:
        """Return the equity of every account at the given prices, on all chains."""
        c, chains = self._world.clearing, self._world.chains
        equities = account_equities(c.accounts, c.tables, prices)
        return equities if chains is None else equities + chains.elsewhere()

    def _record_accounts(self) -> None:
        w, a = self._world, self._world.clearing.accounts
        self._log.append(
            "accounts",
            account=a.id,
            group=np.array(w.group_names(), object),
            strategy=np.array(w.strategy_names(), object),
            wealth_micro_usd=self._wealth,
            final_equity_micro_usd=self._equities(w.board.ticks),
            final_equity_at_index_micro_usd=self._equities(w.market.index),
            fees_micro_usd=a.fees,
            funding_micro_usd=a.funding,
            penalties_micro_usd=a.penalties,
            n_topups=a.n_topups,
            n_stops=a.n_stops,
            n_margin_calls=a.n_margin_calls,
            n_cuts=a.n_cuts,
            n_gaps=a.n_gaps,
        )

    def _record_positions(self) -> None:
        accounts = self._world.clearing.accounts
        assets, rows = np.nonzero((self._held != 0) | (accounts.position != 0))
        self._log.append(
            "positions",
            account=accounts.id[rows],
            asset=assets,
            mode=np.array([MODES[m] for m in self._modes[assets, rows]], object),
            initial_lots=self._held[assets, rows],
            final_lots=accounts.position[assets, rows],
            initial_notional_micro_usd=self._notional[assets, rows],
        )

    def _record_counts(self) -> None:
        fills, requested, refused, cancelled = self._world.floor.totals()
        self._log.append(
            "counts", fills=fills, orders=requested, refused=refused, cancelled=cancelled
        )
