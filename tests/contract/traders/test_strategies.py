"""Every strategy in the table: both rules agree, orders are valid, limits hold."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import mesa
import numpy as np
import pytest

from stresslab.core.columns import CANCEL_ALL, IOC, LIMIT, MARKET, POST_ONLY, QUOTE, VOLUNTARY
from stresslab.core.errors import StresslabError
from stresslab.traders.agents import agent_class
from stresslab.traders.group import Group
from stresslab.traders.strategies import STRATEGIES, STRATEGY_PARAMETERS, kind_of
from stresslab.traders.trader import Trader
from tests.toy_traders import N_ASSETS, draws_of, orders_of, random_group, rows_of

SEEDS = range(6)
ACTIVE = [kind for kind in STRATEGIES if kind != "passive"]
SELLS_SPOT = ("market_maker", "noise", "momentum", "fundamental", "arbitrageur")

#: Parameters under which a strategy does all it can do, where its defaults wait for more than the
#: calm random markets of these tests.
EAGER = {"leveraged_speculator": {"entry_probability": 1.0, "exit_probability": 1.0}}
IDLE = "{} did nothing in any market; give it parameters with which it acts, under EAGER"

#: A strategy as somebody else writes it: a plain rule in a file of its own.
CONTRARIAN = """
from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.strategies import STRATEGIES
from stresslab.traders.trader import Order, Trader

class Contrarian(Trader):
    @declared
    class Parameters:
        order_size: float = param("Size of an order", unit="of equity", default=0.02, gt=0, le=1)

    def decide(self, market, draws):
        orders = []
        for asset in self.assets:
            lots = self.lots_for(self.parameters.order_size * self.equity, asset)
            if lots > 0 and draws.uniform("contrarian", asset) < 0.5:
                side = -1 if market.trend[asset] > 0 else 1
                orders.append(Order(asset, MARKET, side * lots))
        return orders

STRATEGIES["contrarian"] = Contrarian
"""


def _plain(group: Group) -> list[tuple[int, ...]]:
    """Return the orders that each trader's own rule gives, through the base class."""
    orders = orders_of(group)
    Trader.decide_all.__func__(  # type: ignore[attr-defined]
        group.strategy, group, group.market, draws_of(group), orders
    )
    return rows_of(orders)


def _compiled(group: Group) -> list[tuple[int, ...]]:
    orders = orders_of(group)
    group.strategy.decide_all(group, group.market, draws_of(group), orders)
    return rows_of(orders)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", STRATEGIES)
def test_both_rules_give_the_same_orders_and_the_same_memory(kind: str, seed: int) -> None:
    one_by_one, all_at_once = (random_group(kind, seed, **_eager(kind)) for _ in range(2))

    plain, compiled = _plain(one_by_one), _compiled(all_at_once)

    assert plain or kind == "passive" or seed > 0, IDLE.format(kind)
    assert plain == compiled
    for left, right in zip(one_by_one.columns, all_at_once.columns, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("kind", ACTIVE)
def test_orders_are_valid(kind: str) -> None:
    groups = [random_group(kind, seed, **_eager(kind)) for seed in SEEDS]
    orders = [order for group in groups for order in _compiled(group)]

    assert any(order_kind != CANCEL_ALL for _, _, order_kind, *_ in orders), IDLE.format(kind)
    for _, asset, order_kind, lots, price, reduce_only, tag in orders:
        assert 0 <= asset < N_ASSETS
        assert order_kind in (LIMIT, MARKET, IOC, POST_ONLY, CANCEL_ALL)
        assert (lots == 0) == (order_kind == CANCEL_ALL)
        assert price > 0 or order_kind in (MARKET, CANCEL_ALL)
        assert reduce_only in (0, 1)
        assert tag in (VOLUNTARY, QUOTE)


@pytest.mark.parametrize("kind", ACTIVE)
def test_nobody_trades_assets_that_are_not_its_own(kind: str) -> None:
    group = random_group(kind, seed=3, **_eager(kind))
    if kind == "hedger":
        legs = (group.columns.first_leg, group.columns.second_leg)
        allowed = {(row, int(leg[row])) for leg in legs for row in range(leg.size)}
    else:
        allowed = {
            (int(row), int(a)) for a, row in zip(*group.columns.trades.nonzero(), strict=True)
        }

    found = {(trader, asset) for trader, asset, *_ in _compiled(group)}

    assert found, IDLE.format(kind)
    assert found <= allowed


@pytest.mark.parametrize("kind", ACTIVE)
def test_reduce_only_orders_reduce(kind: str) -> None:
    n_seen = 0
    for seed in SEEDS:
        group = random_group(kind, seed, **_eager(kind))
        for trader, asset, order_kind, lots, _, reduce_only, _ in _compiled(group):
            held = group.accounts.position[asset, trader]
            if reduce_only and order_kind != CANCEL_ALL:
                n_seen += 1
                assert lots * held < 0 and abs(lots) <= abs(held)
    assert n_seen > 0 or kind not in ("momentum", "leveraged_speculator", "hedger")


@pytest.mark.parametrize("kind", ["noise", "momentum", "fundamental", "leveraged_speculator"])
def test_positions_stay_within_the_target_leverage(kind: str) -> None:
    n_seen = 0
    for seed in SEEDS:
        group = random_group(kind, seed, **_eager(kind))
        bought = np.zeros((2, *group.accounts.position.shape), np.int64)
        for trader, asset, order_kind, lots, _, _, _ in _compiled(group):
            if order_kind != CANCEL_ALL:
                bought[int(lots < 0), asset, trader] += abs(lots)
        for (side, asset, trader), lots in np.ndenumerate(bought):
            if lots == 0:
                continue
            n_seen += 1
            held = int(group.accounts.position[asset, trader]) * (1 - 2 * side)
            agent = group.trader(trader)
            limit = agent.equity * agent.usable_leverage(asset) / len(agent.assets)
            worth = (held + lots) * agent.value_of_lot(asset)
            assert worth <= limit or held + lots <= 0
    assert n_seen > 20


@pytest.mark.parametrize("kind", ACTIVE)
def test_spot_is_never_sold_short(kind: str) -> None:
    n_seen = 0
    for seed in SEEDS:
        group = random_group(kind, seed)
        sold = np.zeros(group.accounts.id.size, np.int64)
        for trader, asset, _, lots, _, _, _ in _compiled(group):
            if asset == 3 and lots < 0:
                sold[trader] -= lots
                n_seen += 1
        assert (sold <= group.accounts.position[3]).all()
    assert n_seen > 0 or kind not in SELLS_SPOT


@pytest.mark.parametrize("kind", STRATEGIES)
def test_no_trader_sends_more_orders_than_announced(kind: str) -> None:
    for seed in SEEDS:
        group = random_group(kind, seed, **_eager(kind))
        traders = [order[0] for order in _compiled(group)]
        most = max((traders.count(t) for t in set(traders)), default=0)
        assert most <= group.orders_per_turn


@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_strategy_is_a_mesa_agent(kind: str) -> None:
    model = mesa.Model(rng=1)
    group = random_group(kind, seed=0)

    agent = agent_class(group.strategy)(4, group, model)  # type: ignore[arg-type]

    assert isinstance(agent, mesa.Agent) and isinstance(agent, group.strategy)
    assert list(model.agents) == [agent]
    assert agent.unique_id == group.accounts.id[4]
    assert kind_of(STRATEGY_PARAMETERS[kind]()) == kind


def test_a_plugin_with_only_a_plain_rule_takes_part(tmp_path: Path, table: None) -> None:
    path = tmp_path / "contrarian.py"
    path.write_text(CONTRARIAN)
    _load(path)

    group = random_group("contrarian", seed=1)
    orders = _compiled(group)

    assert kind_of(group.parameters) == "contrarian"
    assert len(orders) > 10
    assert {kind for _, _, kind, *_ in orders} == {MARKET}
    for trader, asset, _, lots, *_ in orders:
        agent = group.trader(trader)
        assert abs(lots) == agent.lots_for(0.02 * agent.equity, asset)
        assert (lots < 0) == (group.market.trend[asset] > 0)


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ("Order(9, 1, 1)", "assets 0 to 3"),
        ("Order(0, 7, 1)", "the kinds of core.columns"),
        ("Order(0, 0, 1, 0)", "at least 1 tick"),
        ("Order(0, 1, 0)", "lots other than 0"),
        ("*100 * [Order(0, 1, 1)]", "100 orders in a turn; allowed: 64"),
    ],
)
def test_a_plugin_that_sends_nonsense_is_named(
    tmp_path: Path, table: None, order: str, complaint: str
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(
        "from stresslab.traders.strategies import STRATEGIES\n"
        "from stresslab.traders.trader import Order, Trader\n"
        "class Broken(Trader):\n"
        f"    def decide(self, market, draws):\n        return [{order}]\n"
        "STRATEGIES['broken'] = Broken\n"
    )
    _load(path)
    with pytest.raises(StresslabError, match=f"strategy 'broken', trader .*{complaint}"):
        _compiled(random_group("broken", seed=1))


@pytest.fixture
def table() -> Iterator[None]:
    """Put the table of strategies back as it was."""
    before = dict(STRATEGIES)
    yield
    STRATEGIES.clear()
    STRATEGIES.update(before)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _eager(kind: str) -> dict[str, float]:
    """Return parameters under which a strategy does all it can do."""
    return EAGER.get(kind, {})
