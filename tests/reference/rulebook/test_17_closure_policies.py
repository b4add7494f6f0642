"""17. Partial liquidation: what every closure policy keeps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stresslab.core.ledger import EXTERNAL, TRANSFER, pay_house
from stresslab.liquidation.closing import Closer
from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.forced import make_forced_orders
from tests.markets import (
    BRACKETS,
    DEEP,
    TICKS,
    TIERS,
    USD,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    tables_of,
)
from tests.reference.plain_closures import MOST, ONE_LEG, RATIONED, Seen

#: One setting of each policy: the contract runs over all of them.
SETTINGS = {
    "whole": {},
    "least_to_restore": {"leg": "largest_loss"},
    "share_then_whole": {"share": 0.25, "above_usd": 900.0, "cooldown_seconds": 2.0},
    "tier_step_down": {"brackets": 1},
    "share_per_step": {"share": 0.3, "least_usd": 150.0, "most_usd": 1500.0},
    "common_share": {"multiple_of": 0.2},
    "least_common_share": {},
    "rate_limited": {"usd_per_window": 700.0, "window_seconds": 2.0},
    "takeover": {"most_kept": 0.015},
    "dutch_auction": {"fast_seconds": 2.0, "slow_seconds": 4.0, "insolvent_seconds": 4.0},
}
every_policy = pytest.mark.parametrize("kind", sorted(CLOSURES))
every_mode = pytest.mark.parametrize("mode", ["isolated", "cross"])
every_feedback = pytest.mark.parametrize("feedback", ["no_feedback", "market", "slipped"])


def policy(kind, **settings):
    return {"kind": kind, **(settings or SETTINGS[kind])}


HELD = [{"BTC": 12, "ETH": -25, "SOL": 40}, {"BTC": -9, "ETH": 11}, {"SOL": 30, "BTC": 8}]


def crowd(kind, mode, feedback, book=DEEP):
    """Return three levered accounts and one that backs them, while two assets fall and one rises.

    Leverage is 7x, so that 10 to 14 % of the price is all that an account has.
    """
    wealth = [sum(map(abs, held.values())) * 100.0 / 7 for held in HELD]
    other = {name: -sum(held.get(name, 0) for held in HELD) for name in ("BTC", "ETH", "SOL")}
    return market(
        {
            "levered": people(*zip(wealth, HELD, strict=True), mode=mode),
            "rich": people((1e7, other)),
        },
        assets=("BTC", "ETH", "SOL"),
        duration_seconds=14.0,
        market__book=book,
        market__mark={"rule": "mid" if feedback == "market" and book is not DEEP else "index"},
        market__shocks={"s": fall(0.08, "BTC", "SOL"), "t": fall(0.05, "SOL", at=5.0)},
        margin__brackets=dict.fromkeys(("BTC", "ETH", "SOL"), TIERS),
        margin__isolated__closure=policy(kind),
        margin__cross__closure=policy(kind),
        liquidation__feedback=feedback,
        liquidation__rounds_per_step=10_000,
    )


def test_every_policy_has_a_setting_here():
    assert set(SETTINGS) == set(CLOSURES) == set(MOST)


@every_policy
@every_mode
@every_feedback
def test_it_terminates(kind, mode, feedback):
    """Every round fills at least one lot, so a step has no more rounds than there are lots."""
    thin = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 5e4}}
    tables = run(crowd(kind, mode, feedback, book=thin))
    assert len(tables["forced_orders"]["lots"]) > 0
    held = sum(abs(lots) for account in HELD for lots in account.values())
    assert 0 < max(tables["totals"]["rounds"].tolist()) <= held
    assert np.sum(np.abs(tables["forced_orders"]["filled_lots"])) <= held


def owing(kind, usd, **held):
    """Return a model in whose step 2 a wallet is in debt; its only positions are spot, if any."""
    scenario = market(
        {"one": people((900.0, held)), "rich": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
        assets=("BTC", "USDX"),
        margin__cross__closure=policy(kind),
        liquidation__insurance_fund_usd=1000.0,
    )
    scenario["assets"]["USDX"]["kind"] = "spot"
    scenario["margin"]["collateral"] = {"USDX": {"haircut": 0.0}}
    scenario["margin"]["brackets"] = {"BTC": BRACKETS}
    model = model_of(scenario)
    c = model.world.clearing
    owed = int(c.accounts.cash[0, 0]) + usd * USD
    pay_house(c.accounts, c.house, c.journal, 0, 0, EXTERNAL, owed, TRANSFER)
    return model


@every_policy
def test_a_debt_without_positions_has_nothing_to_close_and_goes_to_the_fund(kind):
    tables = tables_of(owing(kind, 7))
    assert rows(tables, "waterfall", "deficit_micro_usd", "fund_micro_usd") == [(7 * USD, 7 * USD)]
    assert tables["forced_orders"]["lots"].size == 0


def test_an_auction_of_what_needs_no_margin_concedes_nothing():
    """Six coins without a haircut back a debt of 607 USD; no part of a need of 0 is conceded."""
    model = owing("dutch_auction", 607, USDX=6)
    c = model.world.clearing
    orders, codes = make_forced_orders(4), np.array([0])
    closer = Closer(model._scenario.margin, 0.9, c, 1.0)
    closer.breached(1, codes)
    for clock in (1, 5, 100):
        closer.choose(clock, np.array([TICKS, TICKS]), codes, model.world.floor, orders)
        assert (orders.n[0], orders.asset[0], orders.lots[0]) == (1, 1, -6)
        assert orders.limit[0] == TICKS
    tables = tables_of(model)
    assert rows(tables, "forced_orders", "cash_micro_usd") == [(600 * USD,)]
    assert rows(tables, "waterfall", "deficit_micro_usd") == [(7 * USD,)]


@every_policy
@every_mode
def test_it_never_worsens_another_pool(kind, mode):
    """While pools are closed, no pool that is not in breach loses a micro-USD or a lot."""
    model = model_of(crowd(kind, mode, "no_feedback"))
    c, seen = model.world.clearing, 0
    for _ in range(14):
        model.clock += 1
        model.engine.open_step()
        for call in (model.index, model.decide, model.match, model.mark, model.margin):
            call()
        cash, held = c.accounts.cash.copy(), c.accounts.position.copy()
        before = len(model.engine.recorder.spells)
        model.liquidate()
        spells = model.engine.recorder.spells
        codes = {s.code for s in spells if s.end_step in (-1, model.recorded_step)}
        seen += len(spells) - before
        n = c.accounts.id.size
        for pool, row in itertools.product(range(c.accounts.cash.shape[0]), range(n)):
            if pool * n + row not in codes:
                assert c.accounts.cash[pool, row] >= cash[pool, row]
        for asset, row in itertools.product(range(3), range(n)):
            pool = 1 + asset if mode == "isolated" and row < len(HELD) else 0
            if pool * n + row not in codes:
                assert c.accounts.position[asset, row] == held[asset, row]
        model.settle()
        model.fund()
        model.record()
    assert seen > 0


@every_policy
@every_mode
@pytest.mark.parametrize("moves", [(-8, 2, -10), (9, 14, -3), (-30, 20, -30), (-11, -2, 0)])
def test_it_never_closes_more_than_its_rule_says(kind, mode, moves):
    """Four steps in which nothing fills, at falling marks: every pool asks anew."""
    model = model_of(crowd(kind, mode, "no_feedback"))
    c = model.world.clearing
    closer = Closer(model._scenario.margin, 0.9, c, 1.0)
    orders, memory, ordered = make_forced_orders(c.accounts.cash.size), {}, 0
    n = c.accounts.id.size
    breached = [1 + a for a in range(3)] if mode == "isolated" else [0]
    codes = np.array([pool * n + row for pool in breached for row in range(len(HELD))])
    codes = np.array([code for code in codes if Seen(model, code, [1, 1, 1]).lots])
    closer.breached(1, codes)
    for clock in range(1, 5):
        marks = np.array([TICKS + 100 * move - 7 * clock for move in moves])
        closer.choose(clock, marks, codes, model.world.floor, orders)
        k = int(orders.n[0])
        columns = (orders.pool, orders.asset, orders.lots)
        found = list(zip(*(column[:k].tolist() for column in columns), strict=True))
        by_pool = [code for code, _, _ in found]
        assert kind not in ONE_LEG or len(set(by_pool)) == len(by_pool)
        for code, asset, lots in found:
            pool = Seen(model, code, marks)
            most = MOST[kind](pool, asset, clock, memory)
            assert lots * pool.lots[asset] < 0 and 0 < abs(lots) <= most
            assert kind in RATIONED or abs(lots) == most, "nor less, as far as it is free to"
            ordered += most
            used = abs(lots) * pool.price[asset]
            memory.setdefault("used", []).append((clock, asset, used))
    assert ordered > 0
