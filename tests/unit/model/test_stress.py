"""The model: a market that runs, in Mesa's terms and in its own."""

from __future__ import annotations

import gc
import weakref

import mesa
import numpy as np
import pytest

from stresslab.contagion import Contagion
from stresslab.contagion.outcomes import outcomes
from stresslab.core.errors import InvariantError
from stresslab.core.events import TABLES
from stresslab.core.ledger import INSURANCE_FUND
from stresslab.traders.strategies import STRATEGIES
from stresslab.validation import fire_sale_market, leveraged_funds
from stresslab.validation.banks import banks
from tests.markets import (
    TICKS,
    USD,
    changed,
    drawn,
    fall,
    lively,
    market,
    model_of,
    people,
    rows,
    run,
    tables_of,
)


@pytest.fixture(scope="module", params=["limit_order_book", "impact"])
def log(request):
    """Return the event log of a lively market with one kind of book."""
    return run(lively(request.param))


def test_a_lively_market_lives(log):
    """Both kinds of book: trades, liquidations in both modes, and causes that check out."""
    assert log["counts"]["fills"][0] > 200
    assert {"isolated", "cross"} == set(log["liquidations"]["mode"].tolist())
    assert len(log["forced_orders"]["order"]) >= 10
    assert log["path"]["volume_lots"].sum() > 1000
    assert log["totals"]["postings"][-1] > 1000
    found = outcomes(Contagion(log))
    assert found["n_liquidations"] == len(log["liquidations"]["account"])


def test_every_table_of_the_log_is_there_with_its_columns(log):
    assert log.keys() == TABLES.keys()
    for name, columns in TABLES.items():
        assert log[name].keys() == {c.name for c in columns}
        assert len({len(values) for values in log[name].values()}) == 1
    assert log["path"]["step"].tolist() == np.repeat(np.arange(1, 41), 2).tolist()
    assert log["totals"]["seconds"].tolist() == list(range(1, 41))


def everybody():
    """Return the lively market with two who work off a metaorder, two who know of no value."""
    more = {"wealth_usd": 5000.0, "seconds_between_turns": 2.0}
    return lively(
        traders__metaorders=drawn("metaorder", 2, **more),
        traders__blind=drawn("zero_intelligence", 2, **more),
    )


#: Strategies that trade only in a market made for them.
OWN_MARKETS = {
    "leverage_targeting": lambda: fire_sale_market.scenario(fire_sale_market.Setting(), banks()),
    "value_fund": lambda: leveraged_funds.scenario([5.0], markets=1, steps=40),
}


@pytest.mark.parametrize("kind", sorted(STRATEGIES))
def test_every_strategy_does_something_in_a_market(kind):
    """Its people end with other positions than they began with; passive ones do not."""
    model = model_of(OWN_MARKETS.get(kind, everybody)())
    rows_of = [n for n, name in enumerate(model.world.strategy_names()) if name == kind]
    before = model.world.clearing.accounts.position[:, rows_of].copy()
    model.run()
    changes = np.abs(model.world.clearing.accounts.position[:, rows_of] - before).sum()
    assert len(rows_of) > 0
    assert (changes == 0) == (kind == "passive")


def test_the_book_is_quoted_before_the_first_step():
    model = model_of(lively())
    bids, asks = np.zeros(2, np.int64), np.zeros(2, np.int64)
    model.world.floor.quotes(bids, asks)
    assert (bids > 0.9 * TICKS).all() and (asks > bids).all()


# -- agents --------------------------------------------------------------------------------------


def test_every_trader_is_an_agent_that_reads_its_own_row():
    model = model_of(lively())
    for _ in range(15):
        model.step()
    accounts = model.world.clearing.accounts
    assert len(model.agents) == accounts.id.size == 122
    assert all(isinstance(agent, mesa.Agent) for agent in model.agents)
    assert sorted(model.agents.get("unique_id")) == sorted(accounts.id.tolist())
    equity = accounts.cash.sum(axis=0) + (
        accounts.position * (model.world.market.mark * model.world.market.unit_value)[:, None]
    ).sum(axis=0)
    assert [agent.equity for agent in model.agents] == [
        int(equity[agent.row]) for agent in model.agents
    ]


def test_agents_can_be_selected_grouped_and_collected():
    model = model_of(everybody())
    for _ in range(15):
        model.step()
    leveraged = model.agents.select(lambda agent: agent.leverage > 6)
    assert 0 < len(leveraged) < len(model.agents)
    by_mode = model.agents.groupby("margin_mode")
    sizes = by_mode.count()
    assert {"isolated", "cross", "flat"} <= sizes.keys() and sum(sizes.values()) == 126
    assert min(model.agents.get("wallet")) < max(model.agents.get("wallet"))
    kinds = {type(agent).__name__ for agent in model.agents}
    assert kinds == {STRATEGIES[k].__name__ for k in STRATEGIES if k not in OWN_MARKETS}


def test_a_model_is_released_after_its_run():
    model = model_of(lively(duration_seconds=12.0))
    watch = weakref.ref(model)
    model.run()
    del model
    gc.collect()
    assert watch() is None


def test_mesa_may_step_the_model_itself():
    """Stepping by hand and running give the same market."""
    by_hand, at_once = model_of(lively()), model_of(lively())
    for _ in range(40):
        by_hand.step()
    at_once.run()
    for one, other in zip(
        by_hand.world.clearing.accounts, at_once.world.clearing.accounts, strict=True
    ):
        assert one.tolist() == other.tolist()


# -- burn-in, ends, ledger -----------------------------------------------------------------------


def test_a_burn_in_passes_before_the_stock_is_taken_and_the_clock_begins():
    scenario = lively(burn_in_seconds=6.0, duration_seconds=20.0)
    tables = run(scenario)
    assert tables["path"]["step"].tolist()[::2] == list(range(-5, 21))
    assert rows(tables, "shocks", "first_step") == [(10,)]
    index = tables["path"]["index_ticks"][tables["path"]["asset"] == 0].astype(float)
    assert index[6 + 9] < 0.9 * index[6 + 8], "the shock comes in step 10 after the burn-in"
    at_start = run(changed(scenario, burn_in_seconds=0.0))
    assert at_start["accounts"]["wealth_micro_usd"].tolist()[8] == 10_000 * USD
    moved = tables["accounts"]["wealth_micro_usd"] != at_start["accounts"]["wealth_micro_usd"]
    assert moved.any(), "wealth is taken after the burn-in"
    held = {
        row[:2]: row[2] for row in rows(tables, "positions", "account", "asset", "initial_lots")
    }
    first = {
        row[:2]: row[2] for row in rows(at_start, "positions", "account", "asset", "initial_lots")
    }
    assert held != first


def test_the_ends_of_a_run_agree_with_its_columns():
    model = model_of(lively())
    tables = tables_of(model)
    accounts = model.world.clearing.accounts
    final = {row[:2]: row[2] for row in rows(tables, "positions", "account", "asset", "final_lots")}
    for a in range(2):
        for n, account in enumerate(accounts.id.tolist()):
            assert final.get((account, a), 0) == accounts.position[a, n]
    assert tables["accounts"]["penalties_micro_usd"].sum() == (
        tables["forced_orders"]["penalty_micro_usd"].sum()
    )
    fund = tables["totals"]["insurance_fund_micro_usd"]
    assert fund[-1] == model.world.clearing.house.cash[INSURANCE_FUND] and fund.min() >= 0
    assert tables["accounts"]["n_margin_calls"].sum() > 10
    assert tables["accounts"]["n_stops"].sum() > 0


def test_wealth_lost_is_wealth_gained_elsewhere(log):
    """Equity of traders, fund, fees and external at the last mark add up to the initial money."""
    traders = log["accounts"]["final_equity_micro_usd"].sum()
    gained = traders - log["accounts"]["wealth_micro_usd"].sum()
    last = {name: values[-1] for name, values in log["totals"].items()}
    others = last["insurance_fund_micro_usd"] - 1000 * USD
    others += last["fees_micro_usd"] + last["external_micro_usd"]
    assert abs(log["accounts"]["final_equity_micro_usd"]).sum() > 0
    assert gained + others == 0


@pytest.mark.parametrize("step", [1, 12])
def test_one_micro_usd_out_of_nowhere_stops_the_run_in_the_same_step(step):
    model = model_of(lively())
    for _ in range(step - 1):
        model.step()
    model.world.clearing.accounts.wallet[5] += 1
    with pytest.raises(
        InvariantError, match=rf"step {step}, match: money is \d+ micro-USD, \+1 off"
    ):
        model.step()


def test_margin_modes_can_be_chosen_by_logit_and_both_are_used():
    tables = run(lively(margin_mode={"kind": "logit"}))
    assert len(tables["liquidations"]["account"]) > 0
    assert {"isolated", "cross"} <= set(tables["positions"]["mode"].tolist())


def test_a_market_of_hand_written_accounts_needs_no_chance():
    """Nothing is drawn, so seed and replicate make no difference."""
    scenario = market(
        {"long": people((100.0, {"BTC": 10})), "short": people((1e3, {"BTC": -10}))},
        market__shocks={"s": fall(0.07)},
    )
    logs = [run(scenario, seed=s, replicate=r) for s, r in ((1, 0), (2, 5))]
    assert len(logs[0]["forced_orders"]["order"]) == 1
    for table, columns in logs[0].items():
        for name, values in columns.items():
            assert values.tolist() == logs[1][table][name].tolist()
