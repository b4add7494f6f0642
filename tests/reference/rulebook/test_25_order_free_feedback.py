"""25. Feedback is bounded and order-free: a round's pools are judged alike, whatever their rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stresslab.liquidation.closures import CLOSURES
from stresslab.traders.population import Population
from tests.markets import TICKS, changed, drawn, fall, market, model_of, people, rows, run

DEPTH = 200  # lots that move the price by 1 %
THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 100.0 * DEPTH}}
SETTINGS = {
    "share_then_whole": {"above_usd": 700.0, "cooldown_seconds": 2.0, "backstop_below": 0.5},
    "share_per_step": {"share": 0.3, "most_usd": 900.0},
    "rate_limited": {"usd_per_window": 3000.0, "window_seconds": 3.0},
    "dutch_auction": {"fast_seconds": 2.0, "slow_seconds": 3.0, "insolvent_seconds": 2.0},
    "tier_step_down": {"rest": "takeover", "leg": "most_liquid"},
    "least_to_restore": {"leg": "largest_loss"},
}
RULES = {
    **{kind: {"closure": {"kind": kind, **SETTINGS.get(kind, {})}} for kind in CLOSURES},
    "rationed": {"liquidation": {"pools_per_round": 2, "rounds_per_step": 3}},
    "throttled": {"liquidation": {"usd_per_step": 2500.0}},
    "banded": {"liquidation": {"price_band": {"kind": "from_mark", "distance": 0.01}}},
    "fillable": {"liquidation": {"price_band": {"kind": "fillable"}}},
    "poor_fund": {
        "closure": {"kind": "takeover", "most_kept": 0.0}, "fall": 0.16,
        "liquidation": {"insurance_fund_usd": 30.0},
    },
    "halted": {
        "circuit_breaker": {"move": 0.04, "window_seconds": 2.0, "halt_seconds": 2.0},
    },
}  # fmt: skip


def accounts(seed, mode):
    """Return twelve accounts of 7x to 10x in both assets; some are the same but for their ids."""
    draws, made = np.random.default_rng(seed), []
    for _ in range(6):
        held = {"BTC": int(draws.integers(3, 30)), "ETH": int(draws.integers(-20, 20)) or 1}
        lots = sum(map(abs, held.values()))
        made += [(round(lots * 100 / draws.uniform(7.0, 9.9)), held)] * 2
    return people(*made, mode=mode), made


def crowded(rule, book=THIN, **changes):
    """Return a market of many levered accounts, half of them isolated, that cascades."""
    setting = RULES[rule]
    (silos, some), (pools, others) = accounts(1, "isolated"), accounts(2, "cross")
    held = {a: sum(lots[a] for _, lots in some + others) for a in ("BTC", "ETH")}
    closure = setting.get("closure", {"kind": "whole"})
    scenario = market(
        {
            "silos": silos,
            "pools": pools,
            "rich": people((1e6, {a: -lots for a, lots in held.items()})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=9.0,
        market__book=book,
        market__mark={"rule": "mid"},
        market__fees={"maker_rate": 0.0002, "taker_rate": 0.0005},
        market__shocks={"s": fall(setting.get("fall", 0.1)), "e": fall(0.07, "ETH", at=3.0)},
        market__circuit_breaker=setting.get("circuit_breaker"),
        margin__isolated__closure=closure,
        margin__cross__closure=closure,
        margin__isolated__penalty_rate=0.0125,
        margin__cross__penalty_rate=0.005,
        liquidation={
            "feedback": "market", "insurance_fund_usd": 200.0, **setting.get("liquidation", {}),
        },
    )  # fmt: skip
    return changed(scenario, **changes)


def shuffle_rows(monkeypatch, seed):
    """Let people be drawn into other rows; their ids stay."""
    original = Population.draw

    def shuffled(*arguments):
        population = original(*arguments)
        return population.permuted(np.random.default_rng(seed).permutation(population.id.size))

    monkeypatch.setattr(Population, "draw", shuffled)


AGGREGATES = ("path", "totals", "counts", "price_moves")
PERSONAL = {
    "accounts": ["account"],
    "liquidations": ["account", "asset", "mode", "step", "round"],
    "forced_orders": ["account", "asset", "mode", "step", "round", "lots"],
    "waterfall": ["account", "asset", "step"],
    "adl": ["step", "account", "asset", "loss_micro_usd"],
    "socialised": ["step", "account", "loss_micro_usd"],
}


def refuse_difference(straight, other):
    """Compare aggregates row by row, and everybody's fate under the permanent ids."""
    for table in AGGREGATES:
        for name, values in straight[table].items():
            assert values.tolist() == other[table][name].tolist(), (table, name)
    for table, key in PERSONAL.items():
        names = [n for n in straight[table] if n not in ("liquidation", "order", *key)]
        logs = [sorted(rows(log, table, *key, *names)) for log in (straight, other)]
        assert logs[0] == logs[1], table


@pytest.mark.parametrize("rule", sorted(RULES))
def test_shuffling_accounts_leaves_every_aggregate_unchanged(rule, monkeypatch):
    scenario = crowded(rule)
    straight = run(scenario)
    assert len(straight["liquidations"]["account"]) > 8
    assert straight["forced_orders"]["filled_lots"].any()
    for seed in (1, 2):
        shuffle_rows(monkeypatch, seed)
        ids = model_of(scenario).world.clearing.accounts.id.tolist()
        assert ids != straight["accounts"]["account"].tolist()
        refuse_difference(straight, run(scenario))
        monkeypatch.undo()


@pytest.mark.parametrize("rule", ["whole", "rate_limited", "dutch_auction", "poor_fund"])
def test_nor_does_it_in_an_order_book(rule, monkeypatch):
    makers = drawn("market_maker", 3, 3e4, leverage={"median": 5.0}, seconds_between_turns=1.0)
    scenario = crowded(rule, {"kind": "limit_order_book"}, traders__makers=makers)
    straight = run(scenario)
    assert len(straight["liquidations"]["account"]) > 4
    assert straight["forced_orders"]["filled_lots"].any()
    shuffle_rows(monkeypatch, 3)
    refuse_difference(straight, run(scenario))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_all_pools_of_a_round_are_judged_on_the_same_marks(rule):
    """Those of the last stage: a round's own sales do not reach the others of the round."""
    tables = run(crowded(rule))
    found = rows(tables, "forced_orders", "step", "round", "asset", "mark_ticks", "account")
    moved = {}
    moves = rows(tables, "price_moves", "step", "round", "asset", "to_ticks")
    for step, number, asset, mark in moves:
        moved.setdefault(asset, []).append(((step, number), mark))
    crowded_rounds = 0
    for (step, number, asset), group in itertools.groupby(sorted(found), key=lambda o: o[:3]):
        orders = list(group)
        crowded_rounds += len({account for *_, account in orders}) > 1
        before = [to for when, to in moved.get(asset, []) if when < (step, number)]
        assert {mark for _, _, _, mark, _ in orders} == {before[-1] if before else TICKS}
    assert crowded_rounds > 0


@pytest.mark.parametrize("rule", sorted(RULES))
def test_feedback_is_bounded_by_what_is_held(rule):
    """Nobody is sold more than it held, and the price not further down than by all of it.

    Forced orders never pass through zero, so no position grows; without resilience the linear law
    falls by 1 % of the index with every depth sold.
    """
    scenario = crowded(rule)
    tables = run(scenario)
    held = {}
    for account, asset, lots in rows(tables, "positions", "account", "asset", "initial_lots"):
        held[account, asset] = lots
    left = dict(held)
    columns = ("account", "asset", "filled_lots", "mark_ticks", "step", "round")
    for account, asset, filled, *_ in rows(tables, "forced_orders", *columns):
        before, left[account, asset] = left[account, asset], left[account, asset] + filled
        assert abs(left[account, asset]) <= abs(before) and left[account, asset] * before >= 0
    longs = {a: sum(max(q, 0) for (_, b), q in held.items() if a == b) for a in (0, 1)}
    lowest = {a: 1 - longs[a] / (100 * DEPTH) for a in (0, 1)}
    path = rows(tables, "path", "asset", "index_ticks", "lowest_mark_ticks")
    assert any(mark < index for _, index, mark in path)
    assert all(mark >= int(index * lowest[a]) for a, index, mark in path)
    assert all(rounds <= 50 for rounds in tables["totals"]["rounds"].tolist())
