"""Random traders in a random market, and a small population, for tests of `stresslab.traders`."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.columns import Accounts, Market, Orders, make_accounts, make_orders
from stresslab.core.declarations import build
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.random import Streams
from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.group import Group, StepDraws
from stresslab.traders.planning import Instruments
from stresslab.traders.population import Population
from stresslab.traders.rules import TraderGroup
from stresslab.traders.state import NO_LEG, TraderColumns, make_columns
from stresslab.traders.strategies import STRATEGIES

N_ASSETS = 4  # the last one is spot
STEP_SECONDS = 2.0


def random_market(rng: np.random.Generator) -> Market:
    """Return prices around 10,000 ticks, rough or calm, some sides of the book empty."""
    index = rng.integers(8_000, 12_000, N_ASSETS)
    mark = (index * rng.uniform(0.9, 1.1, N_ASSETS)).astype(np.int64)
    is_empty = rng.random((2, N_ASSETS)) < 0.2
    return Market(
        step=np.array([rng.integers(1, 1_000)]),
        index=index,
        mark=mark,
        best_bid=np.where(is_empty[0], -1, mark - rng.integers(1, 20, N_ASSETS)),
        best_ask=np.where(is_empty[1], -1, mark + rng.integers(1, 20, N_ASSETS)),
        trend=rng.normal(0.0, 2e-4, N_ASSETS),
        volatility=rng.uniform(1e-5, 1e-3, N_ASSETS),
        normal_volatility=rng.choice([0.0, 1e-4], N_ASSETS, p=[0.2, 0.8]),
        correlation=0.5 + 0.5 * np.eye(N_ASSETS),
        unit_value=rng.integers(10, 2_000, N_ASSETS),
        initial_rate=np.array([0.01, 0.02, 0.05, 1.0]),
        is_spot=np.array([0, 0, 0, 1]),
    )


def random_accounts(rng: np.random.Generator, market: Market, n_traders: int) -> Accounts:
    """Return accounts, rich and poor, some bankrupt, flat or with positions in both modes."""
    accounts = make_accounts(n_traders, N_ASSETS)
    accounts.id[:] = rng.choice(5_000_000, n_traders, replace=False)
    accounts.position[:] = rng.integers(-3_000, 3_000, accounts.position.shape)
    accounts.position[rng.random(accounts.position.shape) < 0.4] = 0
    accounts.position[3] = abs(accounts.position[3])
    accounts.mode[:] = np.where(rng.random(accounts.mode.shape) < 0.5, CROSS, ISOLATED)
    accounts.mode[3] = CROSS
    accounts.mode[accounts.position == 0] = FLAT
    accounts.silo[accounts.mode == ISOLATED] = 10**9
    equity = np.rint(10 ** rng.uniform(7.0, 12.0, n_traders)).astype(np.int64)
    equity[rng.random(n_traders) < 0.1] *= -1
    value = (market.mark * market.unit_value)[:, np.newaxis] * accounts.position
    accounts.wallet[:] = equity - accounts.silo.sum(axis=0) - value.sum(axis=0)
    accounts.n_liquidations[:] = rng.integers(0, 3, n_traders)
    return accounts


def random_columns(rng: np.random.Generator, n_traders: int) -> TraderColumns:
    """Return traders of any leverage, with any set of assets, some with hedge legs and stops."""
    columns = make_columns(n_traders, N_ASSETS)
    columns.wealth[:] = 10**10
    columns.leverage[:] = rng.integers(50, 6_000, n_traders) / 100
    columns.trait[:] = rng.random(n_traders)
    columns.risk_aversion[:] = rng.normal(size=n_traders)
    columns.trades[:] = rng.random(columns.trades.shape) < 0.7
    columns.n_traded[:] = columns.trades.sum(axis=0)
    columns.stop_distance[:] = rng.choice([0.0, 0.5], n_traders)
    columns.stop_ticks[:] = rng.choice([0, 9_000], columns.stop_ticks.shape)
    columns.take_profit_distance[:] = 2 * columns.stop_distance[::-1]
    columns.take_profit_ticks[:] = columns.stop_ticks[::-1]
    columns.reentry_step[:] = rng.choice([-1, 0, 500], columns.reentry_step.shape)
    columns.first_leg[:] = rng.choice([NO_LEG, 0, 3], n_traders)
    columns.second_leg[:] = np.where(columns.first_leg == NO_LEG, NO_LEG, rng.integers(1, 3))
    return columns


def random_group(kind: str, seed: int, n_traders: int = 30, **parameters: Any) -> Group:
    """Return a group of one strategy in a random state, everybody's turn; same seed, same state."""
    rng = np.random.default_rng(seed)
    strategy = STRATEGIES[kind]
    market = random_market(rng)
    group = Group(
        name=kind,
        kind=kind,
        parameters=build(strategy.Parameters, parameters),
        choice=FixedShare(cross_share=0.5),
        accounts=random_accounts(rng, market, n_traders),
        columns=random_columns(rng, n_traders),
        market=market,
        lot_value=market.mark * market.unit_value,
        step_seconds=STEP_SECONDS,
        members=np.arange(n_traders),
        rows=np.flatnonzero(rng.random(n_traders) < 0.8),
    )
    strategy.prepare(group, market, draws_of(group))
    return group


def draws_of(group: Group) -> StepDraws:
    """Return the chance of the group's step."""
    return StepDraws(Streams(7, 0), int(group.market.step[0]))


def orders_of(group: Group) -> Orders:
    """Return room for all orders of the group's turn."""
    return make_orders(group.rows.size * group.orders_per_turn + 1)


def rows_of(orders: Orders) -> list[tuple[int, ...]]:
    """Return a batch as plain tuples: trader, asset, kind, lots, price, reduce_only, tag."""
    return list(zip(*(column[: orders.n[0]].tolist() for column in orders[1:]), strict=True))


#: Three perpetuals and the spot asset of the first.
INSTRUMENTS = Instruments(
    names=("BTC", "ETH", "SOL", "BTC_SPOT"),
    price=np.array([12_000, 15_000, 20_000, 12_000]),
    unit_value=np.array([5_000, 2_000, 100, 1_000]),
    is_spot=np.array([0, 0, 0, 1]),
)


def initial_margin(asset: int, notional: np.ndarray) -> np.ndarray:
    """Return a fiftieth of the notional and a tenth of what exceeds 1 million USD: convex."""
    excess = np.maximum(notional - 10**12, 0)
    return -(-notional // 50) - (-excess // 10)


def groups_of(**configs: dict[str, Any]) -> dict[str, TraderGroup]:
    """Build trader groups from plain configs."""
    return {name: build(TraderGroup, config) for name, config in configs.items()}


def speculators(count: int = 200, **changes: Any) -> dict[str, Any]:
    """Return the config of leveraged speculators with positions in one to three perpetuals."""
    return {
        "strategy": {"kind": "leveraged_speculator"},
        "count": count,
        "wealth": {"kind": "pareto", "minimum_usd": 1_000.0},
        "leverage": {"median": 8.0, "sigma": 0.7, "cap": 40.0},
        "holdings": {"kind": "directional", "number_weights": [0.5, 0.3, 0.2], "share_long": 0.6},
        **changes,
    }


def draw(groups: dict[str, TraderGroup], seed: int = 1) -> Population:
    """Draw a population from the toy instruments."""
    return Population.draw(groups, INSTRUMENTS, initial_margin, Streams(seed, 0))
