"""Partial liquidation: what every closure policy keeps, and each policy's own published rule.

Expected lots are computed here from the rules' texts, in whole numbers and fractions.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.columns import LIMIT
from stresslab.core.ledger import EXTERNAL, TRANSFER, pay_house
from stresslab.liquidation.closing import Closer
from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.forced import make_forced_orders
from stresslab.liquidation.partial_sizes import notional_limits
from tests.markets import (
    BRACKETS,
    DEEP,
    LOT,
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    changed,
    fall,
    market,
    model_of,
    orders_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)

UNIT = 10_000  # micro-USD of a tick times a lot
TIERS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.04, "max_leverage": 12.0},
    {"floor_usd": 2000.0, "maintenance_rate": 0.06, "max_leverage": 10.0},
    {"floor_usd": 50_000.0, "maintenance_rate": 0.08, "max_leverage": 5.0},
]

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


def maintenance(notional, tiers=TIERS):
    """Return the margin of a notional in micro-USD, bracket by bracket, rounded up."""
    exact, ends = Fraction(0), [row["floor_usd"] for row in tiers[1:]] + [math.inf]
    for row, end in zip(tiers, ends, strict=True):
        inside = max(0, min(notional, end * USD) - int(row["floor_usd"]) * USD)
        exact += int(inside) * Fraction(str(row["maintenance_rate"]))
    return math.ceil(exact)


# -- the contract of all policies ------------------------------------------------------------------

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


class Seen:
    """A breached pool as the rules' texts see it: plain numbers, read before an order is chosen."""

    def __init__(self, model, code, marks):
        accounts = model.world.clearing.accounts
        pool, self.row = divmod(int(code), accounts.id.size)
        assets = range(3) if pool == 0 else [pool - 1]
        self.lots = {a: int(accounts.position[a, self.row]) for a in assets}
        self.lots = {a: lots for a, lots in self.lots.items() if lots}
        self.price = {a: int(marks[a]) * UNIT for a in range(3)}
        worth = sum(lots * self.price[a] for a, lots in self.lots.items())
        self.equity = int(accounts.cash[pool, self.row]) + worth

    def notional(self, asset):
        return abs(self.lots[asset]) * self.price[asset]

    def restored_by(self, closed):
        """Tell whether closing lots by asset, free of charge, brings 90 % of equity."""
        kept = {a: abs(lots) - closed.get(a, 0) for a, lots in self.lots.items()}
        need = sum(maintenance(lots * self.price[a]) for a, lots in kept.items())
        return self.equity > 0 and 10 * need <= 9 * self.equity


def whole_position(pool, asset, clock, memory):
    return abs(pool.lots[asset])


def least(pool, asset, clock, memory):
    """The fewest lots that restore, found by trying one after another."""
    held = abs(pool.lots[asset])
    return next((n for n in range(1, held) if pool.restored_by({asset: n})), held)


def quarter_first(pool, asset, clock, memory):
    """A quarter above 900 USD, unless a quarter was sent less than 2 steps ago."""
    held = abs(pool.lots[asset])
    quarters = [step for step in memory.get(pool.row, []) if step < clock]
    if pool.notional(asset) <= 900 * USD or (quarters and clock - quarters[-1] < 2):
        return held
    memory.setdefault(pool.row, []).append(clock)
    return math.ceil(Fraction(held, 4))


def down_a_bracket(pool, asset, clock, memory):
    """What lies above the end of the next lower bracket; all in the lowest."""
    ends = [int(row["floor_usd"]) * USD for row in TIERS[1:]]
    below = [end for end in ends if end < pool.notional(asset)]
    return abs(pool.lots[asset]) - (below[-1] // pool.price[asset] if below else 0)


def three_tenths(pool, asset, clock, memory):
    _, most = notional_limits(1, pool.notional(asset), 150 * USD, Fraction(3, 10))
    return max(1, math.floor(most / pool.price[asset]))


def common_fifths(pool, asset, clock, memory):
    """The first multiple of 20 % of all positions that restores the pool."""

    def cut(fifths):
        return {a: math.ceil(abs(lots) * Fraction(fifths, 5)) for a, lots in pool.lots.items()}

    return cut(next((n for n in range(1, 5) if pool.restored_by(cut(n))), 5))[asset]


def common_permille(pool, asset, clock, memory):
    """The first permille of all positions, each in lots rounded up, that restores the pool."""

    def cut(share):
        return {a: math.ceil(abs(lots) * Fraction(share, 1000)) for a, lots in pool.lots.items()}

    return cut(next((n for n in range(1, 1000) if pool.restored_by(cut(n))), 1000))[asset]


def room_of_two_steps(pool, asset, clock, memory):
    """What is left of 700 USD in this step and the one before."""
    used = sum(amount for step, a, amount in memory.get("used", []) if a == asset
               and step > clock - 2)  # fmt: skip
    return (700 * USD - used) // pool.price[asset]


#: The most lots that each rule allows, from its text.
MOST = {
    "whole": whole_position,
    "least_to_restore": least,
    "share_then_whole": quarter_first,
    "tier_step_down": down_a_bracket,
    "share_per_step": three_tenths,
    "common_share": common_fifths,
    "least_common_share": common_permille,
    "rate_limited": room_of_two_steps,
    "dutch_auction": whole_position,
    "takeover": whole_position,
}


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


ONE_LEG = {"least_to_restore", "tier_step_down"}
RATIONED = {"share_per_step", "rate_limited"}  # legs share what a pool or market may close


# -- each policy's own rule ------------------------------------------------------------------------

every_side = pytest.mark.parametrize("side", [1, -1])


def one(lots, wealth, size, closure, *, tiers=BRACKETS, **changes):
    """Return a market of one long cross account whose price falls in step 2."""
    return market(
        {"one": people((wealth, {"BTC": lots})), "rich": people((1e9, {"BTC": -lots}))},
        market__shocks={"s": fall(size)},
        margin__brackets={"BTC": tiers},
        margin__cross__closure=closure,
        **changes,
    )


def sent(tables):
    """Return (step, round, lots without sign) of every forced order, all of them filled."""
    found = rows(tables, "forced_orders", "step", "round", "lots", "filled_lots")
    assert found and all(lots == filled for *_, lots, filled in found)
    return [(step, number, abs(lots)) for step, number, lots, _ in found]


FIFTH = {"kind": "share_then_whole"}


@pytest.mark.parametrize(("above", "first"), [(9100.0, 100), (9099.999999, 20), (9100.000001, 100)])
def test_only_a_position_above_the_bar_is_sent_by_a_share(above, first):
    """100 lots at 91 USD are 9,100 USD: at the bar they are not above it."""
    tables = run(one(100, 1000.0, 0.09, {**FIFTH, "above_usd": above}))
    assert sent(tables)[0] == (2, 1, first)


def test_the_rest_follows_whole_while_the_account_cools_down():
    """20 % of 100 lots leave 364 USD needed against 100: the next round lies in the cool-down."""
    tables = run(one(100, 1000.0, 0.09, {**FIFTH, "above_usd": 1000.0}))
    assert sent(tables) == [(2, 1, 20), (2, 2, 80)]


def test_before_a_first_share_nothing_cools_down_however_long_that_takes():
    tables = run(
        one(100, 1000.0, 0.09, {**FIFTH, "above_usd": 1000.0, "cooldown_seconds": 86_400.0})
    )
    assert sent(tables) == [(2, 1, 20), (2, 2, 80)]


def test_a_cool_down_may_also_leave_the_account_alone():
    """A fifth of what is left, rounded up to a lot, every 30 s from step 2 on."""
    closure = {**FIFTH, "above_usd": 1000.0, "in_cooldown": "nothing"}
    tables = run(one(100, 1000.0, 0.09, closure, duration_seconds=70.0))
    assert sent(tables) == [(2, 1, 20), (32, 1, 16), (62, 1, 13)]


@pytest.mark.parametrize(("again", "second"), [(31.0, 80), (32.0, 16)])
def test_a_new_breach_within_the_cool_down_is_closed_whole(again, second):
    """At 94.9 % a fifth restores 490 of 474.5 USD to 379.6; a second fall needs more again."""
    closure = {**FIFTH, "above_usd": 1000.0}
    scenario = one(100, 980.0, 0.052, closure, duration_seconds=40.0)
    fell = {"s": fall(0.052), "t": fall(0.012, at=again)}
    tables = run(changed(scenario, market__shocks=fell))
    assert sent(tables) == [(2, 1, 20), (int(again), 1, second)]
    assert tables["liquidations"]["outcome"].tolist()[0] == "restored"


@pytest.mark.parametrize(
    ("lots", "brackets", "closed"),
    [
        (25, 1, 25),  # 25 · 80 = 2,000 USD is still the first bracket
        (26, 1, 1),
        (100, 1, 75),
        (100, 2, 100),  # there is one bracket below, not two
        (625, 1, 600),  # 50,000 USD is still the second
        (626, 1, 1),
        (626, 2, 601),
        (700, 1, 75),
    ],
)
def test_a_leg_steps_down_into_a_lower_bracket(lots, brackets, closed):
    """At 80 USD brackets end at 25 and 625 lots; what stays is in the lower one to the lot."""
    wealth = lots * 20.0 + 0.03 * lots * 80
    closure = {"kind": "tier_step_down", "brackets": brackets}
    tables = run(one(lots, wealth, 0.2, closure, tiers=TIERS))
    assert sent(tables)[0] == (2, 1, closed)


def test_a_short_steps_down_by_buying():
    """BTC falls and is long 10 lots; ETH, the larger leg, is short 30 lots of 100 USD."""
    scenario = market(
        {
            "one": people((405.0, {"BTC": 10, "ETH": -30})),
            "rich": people((1e9, {"BTC": -10, "ETH": 30})),
        },
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.3)},
        margin__brackets=dict.fromkeys(("BTC", "ETH"), TIERS),
        margin__cross__closure={"kind": "tier_step_down"},
    )
    found = rows(run(scenario), "forced_orders", "round", "asset", "filled_lots")
    assert found[:2] == [(1, 1, 10), (2, 1, 20)]


@pytest.mark.parametrize(
    ("lots", "steps"),
    [
        (1000, [100, 90, 81]),  # 10 % of what is left, 9,100 USD at first
        (100, [10, 10, 10]),  # 10 % is 910 USD, least are 1,000: 10 lots of 91 USD
        (10, [10]),
        (5, [5]),
    ],
)
def test_each_market_is_tried_once_a_step_for_a_share_or_the_least_notional(lots, steps):
    closure = {"kind": "share_per_step"}
    tables = run(one(lots, lots * 10.0, 0.09, closure))
    assert sent(tables) == [(2 + k, 1, size) for k, size in enumerate(steps)]


@pytest.mark.parametrize("lots", [1, 7, 11, 12, 109, 110, 111, 500])
def test_the_share_is_the_published_limit_of_a_block(lots):
    """The same as `notional_limits`, but in whole lots and at least one."""
    price = 91
    tables = run(one(lots, lots * 10.0, 0.09, {"kind": "share_per_step"}))
    _, most = notional_limits(lots, price, 1000, Fraction(1, 10))
    assert sent(tables)[0] == (2, 1, max(1, math.floor(most / price)))


def test_a_pool_has_a_limit_of_a_step_too():
    """ETH, the larger leg, comes first: 10 lots are 900 USD; BTC gets the rest of 1,000 USD."""
    scenario = market(
        {"one": people((290.0, {"BTC": 10, "ETH": 20})),
         "rich": people((1e6, {"BTC": -10, "ETH": -20}))},
        assets=("BTC", "ETH"),
        duration_seconds=2.0,
        market__shocks={"s": fall(0.1, "BTC", "ETH")},
        margin__cross__closure={
            "kind": "share_per_step", "share": 0.5, "least_usd": 0.0, "most_usd": 1000.0,
        },
    )  # fmt: skip
    found = rows(run(scenario), "forced_orders", "asset", "filled_lots")
    assert found == [(1, -10), (0, -1)]


@pytest.mark.parametrize("wealth", [1000.0, 1100.0, 1200.0, 1300.0, 1340.0])
def test_all_positions_are_cut_by_the_least_multiple_of_a_fifth(wealth):
    """(1 - x) m n <= 0.9 e, so x is 1 - 0.9 e / (m n), up to the next fifth."""
    scenario = market(
        {"one": people((wealth, {"BTC": 100, "ETH": 50})),
         "rich": people((1e9, {"BTC": -100, "ETH": -50}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.09)},
        margin__cross__closure={"kind": "common_share"},
    )  # fmt: skip
    need = Fraction(5, 100) * (100 * 91 + 50 * 100)
    equity = Fraction(int(wealth)) - 900
    assert 0 < equity < need
    fifths = math.ceil(5 * (1 - Fraction(9, 10) * equity / need))
    found = rows(run(scenario), "forced_orders", "asset", "filled_lots")
    assert found == [(0, -20 * fifths), (1, -10 * fifths)]
    assert fifths in (1, 2, 3, 4, 5)


def test_the_common_share_counts_fee_and_penalty():
    """Without them 0.9 · 450 = 405 of 405 USD would do at 1 - 364 / 455 = 20 %."""
    scenario = one(100, 1304.45, 0.09, {"kind": "common_share"})
    assert sent(run(scenario)) == [(2, 1, 20)]
    charged = changed(scenario, market__fees={"maker_rate": 0.0, "taker_rate": 0.0001})
    assert sent(run(charged)) == [(2, 1, 40)]


def test_a_window_holds_only_so_much_and_serves_the_most_urgent_first():
    """Two silos of 10 lots at 94 USD, 2,000 USD in 3 s: 21 lots; the poorer one goes first.

    With 1,000 USD it is 10 lots and none, and the other must wait until the window has passed.
    """
    longs = people((80.0, {"BTC": 10}), (70.0, {"BTC": 10}), mode="isolated")
    scenario = market(
        {"longs": longs, "rich": people((1e6, {"BTC": -20}))},
        duration_seconds=8.0,
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure={
            "kind": "rate_limited", "usd_per_window": 2000.0, "window_seconds": 3.0,
        },
    )  # fmt: skip
    names = ("step", "account", "filled_lots")
    assert rows(run(scenario), "forced_orders", *names) == [(2, 1, -10), (2, 0, -10)]
    tight = changed(scenario, margin__isolated__closure__usd_per_window=1000.0)
    assert rows(run(tight), "forced_orders", *names) == [(2, 1, -10), (5, 0, -10)]
    for usd, lots in ((1221.999999, 2), (1222.0, 3)):  # 10 and 3 lots are 1,222 USD
        part = changed(scenario, margin__isolated__closure__usd_per_window=usd)
        found = rows(run(part), "forced_orders", *names)
        assert found == [(2, 1, -10), (2, 0, -lots), (5, 0, lots - 10)]


def test_what_finds_nobody_does_not_use_up_the_window():
    """Nobody bids in step 2; the bids of step 3 take what the window still holds whole."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure={
            "kind": "rate_limited", "usd_per_window": 940.0, "window_seconds": 100.0,
        },
        liquidation__feedback="market",
    )  # fmt: skip
    tables = tables_of(scripted(scenario, {3: [Ask(1, 10, 9300)]}))
    assert rows(tables, "forced_orders", "step", "filled_lots") == [(2, 0), (3, -10)]


def test_what_found_nobody_is_given_back_to_the_window_once():
    """4 of 10 lots fill at 94 USD, then a round of other pools: 564 of 940 USD are left, 6 lots."""
    closure = {"kind": "rate_limited", "usd_per_window": 940.0, "window_seconds": 100.0}
    model = model_of(one(20, 1000.0, 0.0, closure))
    closer = Closer(model._scenario.margin, 0.9, model.world.clearing, 1.0)
    orders, marks = make_forced_orders(4), np.array([9400])
    for clock, lots, filled in ((2, 10, 4), (3, 6, 6), (4, 0, 0)):
        closer.choose(clock, marks, np.array([0]), model.world.floor, orders)
        assert (orders.n[0], abs(orders.lots[0]) * orders.n[0]) == (int(lots > 0), lots)
        orders.filled[0] = -filled
        closer.settle(clock, marks, orders)
        orders.n[0] = 0
        closer.settle(clock, marks, orders)


def test_an_auction_may_concede_the_same_part_at_first_and_later():
    def refused(later):
        auction = CLOSURES["dutch_auction"](first_discount=0.3, fast_discount=later)
        return [name for name, _ in auction.faults()]

    assert (refused(0.3), refused(0.299)) == ([], ["fast_discount"])


AUCTION = {
    "kind": "dutch_auction", "first_discount": 0.1, "fast_discount": 0.5,
    "fast_seconds": 4.0, "slow_seconds": 5.0, "insolvent_seconds": 10.0,
}  # fmt: skip
#: A silo of 100 USD holds 10 lots: at 94 USD it has 40 USD, 4 USD a lot, and needs 47 USD.
PER_LOT, NEED_PER_LOT = Fraction(4), Fraction(47, 10)


def conceded(elapsed):
    """Return what is conceded of a lot's price after so many seconds, in USD."""
    if elapsed <= 4:
        return PER_LOT * (Fraction(1, 10) + Fraction(4, 10) * Fraction(elapsed, 4))
    if elapsed <= 9:
        return PER_LOT * (Fraction(1, 2) + Fraction(1, 2) * Fraction(elapsed - 4, 5))
    return PER_LOT + NEED_PER_LOT * min(Fraction(1), Fraction(elapsed - 9, 10))


@every_side
@pytest.mark.parametrize("elapsed", [0, 1, 3, 4, 5, 8, 9, 10, 15, 19, 25])
@pytest.mark.parametrize("off", [0, 1])
def test_an_auction_concedes_more_with_time(side, elapsed, off):
    """The limit of a moment takes a bid there, and none that is one tick further away."""
    model = model_of(
        market(
            {"one": people((100.0, {"BTC": side * 10}), mode="isolated"),
             "rich": people((1e6, {"BTC": -side * 10}))},
            market__book=ORDER_BOOK,
            margin__isolated__closure=AUCTION,
        )
    )  # fmt: skip
    c = model.world.clearing
    mark = TICKS - side * 600
    closer = Closer(model._scenario.margin, 0.9, c, 1.0)
    orders = make_forced_orders(4)
    codes = np.array([c.accounts.id.size])
    closer.breached(7, codes)
    closer.choose(7 + elapsed, np.array([mark]), codes, model.world.floor, orders)
    need = NEED_PER_LOT if side > 0 else Fraction(53, 10)
    ticks = (
        conceded(elapsed)
        if elapsed <= 9
        else PER_LOT + (conceded(elapsed) - PER_LOT) * (need / NEED_PER_LOT)
    )
    expected = mark - side * math.floor(100 * ticks)
    assert (orders.n[0], orders.lots[0], orders.limit[0]) == (1, -side * 10, expected)
    book = model.world.floor
    ask = [Ask(1, side * 10, expected - side * off, LIMIT)]
    book.match(orders_of(ask), np.array([0]), np.array([mark]))
    book.force(orders, np.array([0]), model.engine.closing.charges, np.array([mark]))
    assert orders.filled[0] == (-side * 10 if off == 0 else 0)


def test_an_auction_ends_at_the_bankruptcy_price_when_all_equity_is_conceded():
    """10 USD a lot were posted at 100 USD: after the slow part the offer is 90 USD."""
    assert 94 - conceded(9) == 90 and conceded(9) == PER_LOT


@pytest.mark.parametrize("feedback", ["market", "slipped"])
def test_an_auction_waits_for_a_bid_that_its_price_has_reached(feedback):
    """A bid at 91.60 USD is taken when 2.40 of 94 USD are conceded: 6 s after the breach."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        duration_seconds=12.0,
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure=AUCTION,
        liquidation__feedback=feedback,
    )
    assert conceded(5) < Fraction(240, 100) <= conceded(6) or conceded(5) == Fraction(240, 100)
    tables = tables_of(scripted(scenario, {1: [Ask(1, 10, 9160)]}))
    found = rows(tables, "forced_orders", "step", "filled_lots", "cash_micro_usd")
    assert found[-1] == (2 + 5, -10, 10 * 9160 * UNIT)
    assert all(filled == 0 for _, filled, _ in found[:-1])
    assert len(found) == 6 and LOT == 100 * USD
