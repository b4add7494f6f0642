"""Laws of whole markets: same seed same bytes, shared luck, order of accounts, money."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stresslab.core.ledger import CLEARING
from stresslab.traders.population import Population
from tests.markets import (
    TICKS,
    changed,
    fall,
    lively,
    market,
    model_of,
    people,
    rows,
    run,
    state,
    sums,
    trade,
)


def equal(one, other, *, leaving=()):
    """Tell whether two event logs hold the same bytes."""
    return all(
        values.dtype == other[table][name].dtype and values.tolist() == other[table][name].tolist()
        for table, columns in one.items()
        if table not in leaving
        for name, values in columns.items()
    )


@pytest.fixture(scope="module", params=["limit_order_book", "impact"])
def scenario(request):
    return lively(request.param)


def test_the_same_seed_gives_the_same_bytes(scenario):
    first, again = run(scenario), run(scenario)
    assert len(first["liquidations"]["account"]) > 5
    assert equal(first, again)
    for other in (run(scenario, seed=2), run(scenario, replicate=1)):
        assert not equal(first, other)
        assert first["path"]["index_ticks"].tolist() != other["path"]["index_ticks"].tolist()


ARMS = {
    "isolated": {"margin_mode": {"kind": "fixed_share", "cross_share": 0.0}},
    "cross": {"margin_mode": {"kind": "fixed_share", "cross_share": 1.0}},
    "choice": {"margin_mode": {"kind": "logit"}},
    "whole": {"margin__cross__closure": {"kind": "whole"}},
    "no_feedback": {"liquidation__feedback": "no_feedback"},
    "slipped": {"liquidation__feedback": "slipped"},
}


def test_arms_share_people_positions_index_and_turns(scenario):
    """An arm changes margin and what follows from it, never who is there and what they draw."""
    base = model_of(scenario)
    turns = [base.world.crowd._calendar.due(step).tolist() for step in range(1, 41)]
    assert sum(map(len, turns)) > 500
    for changes in ARMS.values():
        model = model_of(changed(scenario, **changes))
        w = model.world
        assert w.index.tolist() == base.world.index.tolist()
        assert w.clearing.accounts.id.tolist() == base.world.clearing.accounts.id.tolist()
        held = w.clearing.accounts.position
        assert held.tolist() == base.world.clearing.accounts.position.tolist()
        for name in ("wealth", "leverage", "trait", "risk_aversion", "stop_distance"):
            ours, theirs = getattr(w.crowd.columns, name), getattr(base.world.crowd.columns, name)
            assert ours.tolist() == theirs.tolist()
        assert [w.crowd._calendar.due(step).tolist() for step in range(1, 41)] == turns
        wealth = [model.agents.get("equity") for model in (base, model)]
        assert wealth[0] == wealth[1]


def test_an_arm_changes_what_happens(scenario):
    logs = [run(changed(scenario, **ARMS[arm])) for arm in ("isolated", "cross")]
    found = [log["liquidations"]["account"].tolist() for log in logs]
    assert found[0] and found[1] and found[0] != found[1]
    before = [log["path"]["mark_ticks"][: 2 * 8].tolist() for log in logs]
    assert len(set(before[0])) > 4


def test_relabelling_the_rows_changes_nobodys_fate(scenario, monkeypatch):
    """The same people in other rows: every account, price and payment is the same."""
    original = Population.draw
    straight = run(scenario)

    def shuffled(*arguments):
        population = original(*arguments)
        return population.permuted(np.random.default_rng(5).permutation(population.id.size))

    monkeypatch.setattr(Population, "draw", shuffled)
    model = model_of(scenario)
    assert model.world.clearing.accounts.id.tolist() != straight["accounts"]["account"].tolist()
    relabelled = run(scenario)

    assert len(straight["liquidations"]["account"]) > 5
    for table in ("path", "totals", "counts", "shocks", "price_moves"):
        assert equal({table: straight[table]}, relabelled), table
    for table, key in (
        ("accounts", ["account"]),
        ("positions", ["account", "asset"]),
        ("liquidations", ["account", "asset", "mode", "step", "round"]),
        ("forced_orders", ["account", "asset", "mode", "step", "round", "lots"]),
        ("waterfall", ["account", "asset", "step"]),
        ("adl", ["step", "account", "asset", "loss_micro_usd"]),
        ("socialised", ["step", "account", "loss_micro_usd"]),
    ):
        names = [n for n in straight[table] if n not in ("liquidation", "order")]
        logs = [sorted(rows(log, table, *key, *names)) for log in (straight, relabelled)]
        assert logs[0] == logs[1], table


def test_another_trader_leaves_the_draws_of_all_others_alone():
    """One more noise trader: everybody else is the same person with the same turns."""
    scenario = lively()
    more = changed(scenario, traders__noise__count=21)
    one, other = model_of(scenario).world, model_of(more).world
    columns = [
        dict(zip(w.clearing.accounts.id.tolist(),
                 zip(w.crowd.columns.wealth, w.crowd.columns.leverage, w.crowd.columns.trait,
                     strict=True), strict=True))
        for w in (one, other)
    ]  # fmt: skip
    assert len(columns[1]) == len(columns[0]) + 1
    assert all(columns[1][account] == values for account, values in columns[0].items())
    turns = [
        [set(w.clearing.accounts.id[w.crowd._calendar.due(step)].tolist()) for step in range(1, 41)]
        for w in (one, other)
    ]
    ids = set(columns[0])
    assert all(b & ids == a for a, b in zip(*turns, strict=True))


fills = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(-1, 3), st.integers(0, 1),
        st.integers(1, 12), st.integers(9_000, 11_000), st.integers(1, 2),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(fills=fills)
def test_any_fills_conserve_money_and_keep_pools_tidy(fills):
    """Whatever trades: sums stand, flat silos are empty, and modes are locked while held."""
    groups = {
        "silo": people((5e3, {}), (5e3, {}), mode="isolated"),
        "pool": people((5e3, {}), (5e3, {})),
    }
    fees = {"maker_rate": -0.0001, "taker_rate": 0.0005}
    model = model_of(market(groups, assets=("BTC", "ETH"), market__fees=fees))
    accounts, house = model.world.clearing.accounts, model.world.clearing.house
    before = sums(model)
    for buyer, seller, asset, lots, price, chosen in fills:
        if buyer == seller:
            continue
        locked = accounts.mode.copy()
        accounts.chosen_mode[asset, buyer] = chosen
        held = accounts.position.copy()
        trade(model, buyer, seller, lots, price=price, asset=asset)
        assert sums(model) == before and house.cash[CLEARING] == 0
        stays = (held != 0) & (np.sign(held) == np.sign(accounts.position))
        assert (accounts.mode[stays] == locked[stays]).all()
        is_silo = accounts.mode == 1
        assert not accounts.cash[1:][~is_silo].any(), "money only where an isolated position is"
        assert ((accounts.position != 0) == (accounts.mode != 0)).all() or (
            accounts.cash[1:][is_silo & (accounts.position == 0)] < 0
        ).all(), "a flat position keeps its mode only while it owes"
        assert (accounts.entry_cost[accounts.mode == 0] == 0).all()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    wealth=st.lists(st.integers(101, 400), min_size=3, max_size=8),
    size=st.floats(0.03, 0.95),
    extra=st.floats(0.0, 0.9),
)
def test_an_isolated_position_never_costs_more_than_its_margin(wealth, size, extra):
    """Two silos each; BTC falls by anything, ETH not: wallet and the other silo do not move."""
    longs = [(float(2 * w), {"BTC": 10, "ETH": 10}) for w in wealth]
    n = len(longs)
    scenario = market(
        {
            "longs": {**people(*longs, mode="isolated"), "free_wallet": extra / 2},
            "rich": people((1e7, {"BTC": -10 * n, "ETH": -10 * n})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=3.0,
        margin__isolated__penalty_rate=0.02,
        margin__brackets={
            name: [{"floor_usd": 0.0, "maintenance_rate": 0.02, "max_leverage": 20.0}]
            for name in ("BTC", "ETH")
        },
        market__shocks={"s": fall(size)},
        liquidation__insurance_fund_usd=1e7,
    )
    model = model_of(scenario)
    before = model.world.clearing.accounts.cash.copy()
    model.run()
    accounts = model.world.clearing.accounts
    assert accounts.cash[2].tolist() == before[2].tolist(), "the silo of ETH"
    for row in range(n):
        lost = accounts.position[0, row] == 0
        assert accounts.cash[0, row] >= before[0, row]
        if lost:
            residue = accounts.cash[0, row] - before[0, row]
            margin = before[1, row] + 10 * TICKS * 10_000
            assert 0 <= residue < margin
        else:
            assert accounts.cash[:2, row].tolist() == before[:2, row].tolist()
            equity, maintenance, _ = state(model, row, 1)
            assert equity >= maintenance
