"""Rule 9: one requirement for a whole cross pool, from a grid of scenarios.

``plain_grid`` is written from the words, with whole micro-USD and Fractions, scenario by scenario;
the engine needs only the worst fall and the worst rise.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stresslab.core.declarations import build, faults
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.portfolio import Collateral, Portfolio, grid_margin
from stresslab.margin.portfolio.book import INITIAL, MAINTENANCE, NO_ASSET, book_requirement
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import margin_tables
from stresslab.scenario import Scenario
from tests.markets import (
    BRACKETS,
    TICKS,
    USD,
    accepted,
    asset,
    changed,
    fall,
    lively,
    market,
    model_of,
    people,
    rows,
    run,
    state,
    tables_of,
)
from tests.reference.plain_grid import grid_need

CLASS = {"classes": {"majors": ["BTC", "ETH"]}}
LEAST = {"kind": "least_common_share"}


def venue(*accounts, spot=(), perpetuals=("BTC", "ETH"), rules=None, **changes: Any):
    """Return a market whose cross pools are margined by scenarios; one account takes the rest."""
    names = (*perpetuals, *spot)
    others = {name: -sum(lots.get(name, 0) for _, lots in accounts) for name in perpetuals}
    scenario = market(
        {"some": people(*accounts), "rest": people((1e7, others))}, assets=names,
        margin__portfolio=CLASS if rules is None else rules, margin__cross__closure=LEAST,
        **changes,
    )  # fmt: skip
    scenario["margin"]["brackets"] = dict.fromkeys(perpetuals, BRACKETS)
    for name in spot:
        scenario["assets"][name] = asset("spot")
    return scenario


def engine(rules, names, spot, values, level):
    """Return what the engine's kernel asks of the same; one tick times one lot is a micro-USD."""
    brackets = {name: BRACKETS for name in names if name not in spot}
    margin = {"brackets": brackets, "isolated": {"closure": {"kind": "whole"}, "penalty_rate": 0.0},
              "cross": {"closure": LEAST, "penalty_rate": 0.0}}  # fmt: skip
    declared = build(type(build(Scenario, venue()).margin), margin)
    object.__setattr__(declared, "portfolio", rules)
    is_spot = np.array([name in spot for name in names], np.int64)
    tables = margin_tables(declared, list(names), is_spot, np.ones(len(names), np.int64))
    position = np.array([[values[name]] for name in names], np.int64)
    mode = np.full((len(names), 1), CROSS, np.int8)
    marks = np.ones(len(names), np.int64)
    return int(book_requirement(tables, marks, position, mode, 0, level, NO_ASSET, 0))


# -- the decisive tests ----------------------------------------------------------------------------


def need(rules=None, **lots):
    """Return the maintenance margin of a book in USD, at 100 USD a lot."""
    return state(model_of(venue((1e6, lots), rules=rules)), 0)[1] * Fraction(1, USD)


def test_hedging_lowers_the_requirement():
    """A long of 1,000 USD needs 0.8 x 18 % + 1.5 %; a short of as much costs its charge only."""
    alone = need(BTC=10)
    assert alone == 144 + 15
    assert need(BTC=10, ETH=-10) == 30 < alone
    assert need(BTC=10, ETH=-4) == Fraction("0.8") * 18 * 6 + 21 < alone
    assert need(BTC=10, ETH=4) > alone, "what falls with it does not hedge it"
    assert need({}, BTC=10, ETH=-10) == 2 * alone, "nor what is in no class with it"


def test_a_correlation_break_raises_the_requirement_of_a_hedge_and_of_nothing_else():
    """One leg moves by 10 % alone: 0.8 x 100 more than the nothing that the hedge could lose."""
    broken = {**CLASS, "break_move": 0.1}
    assert need(broken, BTC=10, ETH=-10) == 80 + 30 > need(BTC=10, ETH=-10)
    assert need(broken, BTC=10) == need(BTC=10), "a lone leg loses 18 % anyway"
    less = {**CLASS, "hedge_credit": 0.75}
    assert need(less, BTC=10, ETH=-10) == Fraction("0.8") * 18 * Fraction("2.5") + 30
    assert need({**CLASS, "hedge_credit": 0.0}, BTC=10, ETH=-10) == 144 + 30


def test_a_hedge_that_breaks_is_liquidated_and_both_prices_are_its_causes():
    """BTC falls by 20 % and ETH by 8: the hedge loses 120 USD of 160, and needs what is open."""
    story = venue(
        (160.0, {"BTC": 10, "ETH": -10}), market__shocks={"a": fall(0.2), "b": fall(0.08, "ETH")}
    )
    tables = run(story)
    assert rows(tables, "liquidations", "account", "step", "equity_micro_usd",
                "maintenance_micro_usd", "excess_before_micro_usd") == [
        (0, 2, 40 * USD, (Fraction("0.8") * 18 * Fraction("1.2") + Fraction("25.8")) * USD,
         130 * USD)]  # fmt: skip
    eaten = dict(rows(tables, "breach_amounts", "asset", "amount_micro_usd"))
    found = {a: Fraction(x, USD) for a, x in eaten.items()}
    rate, charge = Fraction("0.144"), Fraction("0.015")  # shorts are the larger side at once
    assert abs(found[0] - (200 + 200 * rate - 200 * charge)) < 280 * rate / 1024
    assert abs(found[1] - (-80 - 80 * rate - 80 * charge)) < 280 * rate / 1024
    assert sum(found.values()) == 120 + 120 * rate - 280 * charge
    same = changed(story, market__shocks={"a": fall(0.2, "BTC", "ETH")})
    assert run(same)["liquidations"]["account"].size == 0, "while the hedge holds nothing happens"


def moved(story, *prices):
    """Return the model of a story whose marks take these prices (BTC, ETH), then stand still."""
    model = model_of(story)
    for step, pair in enumerate(prices, start=1):
        model.world.index[step:] = pair
    return model


def follows(**rules):
    return {**CLASS, "credit_by_correlation": {"half_life_seconds": 1.0, **rules}}


def test_marks_that_part_raise_the_requirement_of_a_hedge_within_a_run():
    """Up and down together, then apart, in the hedge's favour: it gains 20 USD and is liquidated.

    Means of products halve every second: after +1 %, -1/101, and then +1 % against -1 %, the
    products of the pair are negative and nothing is credited. The hedge of 1,000 against 1,000 USD
    that needed 30 then needs 144 more; the move itself asks for 1.44.
    """
    path = [(10_100, 10_100), (TICKS, TICKS), (10_100, 9_900)]
    held = (150.0, {"BTC": 10, "ETH": -10})
    calm = tables_of(moved(venue(held), *path))
    assert calm["liquidations"]["account"].size == 0, "while the credit stands nothing happens"
    tables = tables_of(moved(venue(held, rules=follows()), *path))
    assert rows(tables, "liquidations", "account", "step", "equity_micro_usd",
                "maintenance_micro_usd", "excess_before_micro_usd") == [
        (0, 3, 170 * USD, 144 * USD * 101 // 100 + 30 * USD, 120 * USD)]  # fmt: skip
    eaten: dict[str, int] = {}
    for cause, amount in rows(tables, "breach_amounts", "cause", "amount_micro_usd"):
        eaten[cause] = eaten.get(cause, 0) + amount
    assert eaten == {"requirement": 144 * USD, "price": -20 * USD + 144 * USD // 100}


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.5, 0.7), (0.2, 0.9)])
def test_the_credit_is_that_of_the_pair_that_moves_together_least(bounds):
    """Three assets on random paths, against Decimals; one billionth is one rounding."""
    rng, none_at, whole_at = random.Random(str(bounds)), *bounds
    names = ("A", "B", "C")
    story = venue(
        (1e6, {"A": 10, "B": -7}), perpetuals=names, duration_seconds=9.0,
        rules={"classes": {"x": ["A", "B", "C"]}, "hedge_credit": 0.9,
               "credit_by_correlation": {"half_life_seconds": 3.0, "none_at": none_at,
                                         "whole_at": whole_at}},
    )  # fmt: skip
    model = model_of(story)
    kept = Decimal("0.5") ** (Decimal(1) / 3)
    last, mean, seen = [Decimal(TICKS)] * 3, {}, set()
    for step in range(1, 9):
        common = rng.gauss(0, 0.01)
        now = [round(float(p) * (1 + common + rng.gauss(0, 0.004))) for p in last]
        model.world.index[step:] = now
        model.step()
        moves = [(Decimal(p) - old) / old for p, old in zip(now, last, strict=True)]
        last = [Decimal(p) for p in now]
        for a, b in itertools.combinations_with_replacement(range(3), 2):
            mean[a, b] = kept * mean.get((a, b), 0) + (1 - kept) * moves[a] * moves[b]
        lowest = min(
            mean[a, b] / (mean[a, a] * mean[b, b]).sqrt() for a, b in ((0, 1), (0, 2), (1, 2))
        )
        above = (lowest - Decimal(str(none_at))) / Decimal(str(round(whole_at - none_at, 9)))
        share = min(max(above, Decimal(0)), Decimal(1))
        credit = model.world.clearing.tables.portfolio[:, 4].tolist()
        assert len(set(credit)) == 1 and abs(credit[0] - share * 900_000_000) <= 1
        seen.add(credit[0])
        rules = dataclasses.replace(
            build(Scenario, story).margin.portfolio, hedge_credit=credit[0] / 1e9
        )
        held = dict(zip(names, (10, -7, 0), strict=True))
        values = {n: lots * p * 10_000 for (n, lots), p in zip(held.items(), now, strict=True)}
        assert state(model, 0)[1] == grid_need(rules, (), values, MAINTENANCE)
    assert len(seen) > 3


def test_a_lone_leg_and_whoever_is_in_no_class_feel_no_correlation():
    path = [(10_100, TICKS), (TICKS, TICKS)]
    model = moved(venue((1e6, {"BTC": 10}), rules=follows()), *path)
    model.run()
    assert model.world.clearing.tables.portfolio[0, 4] == 0, "one price alone has moved"
    assert state(model, 0)[1] == need(BTC=10) * USD
    apart = moved(venue((1e6, {"BTC": 10, "ETH": -10}), rules={
        "credit_by_correlation": {"half_life_seconds": 1.0}}), *path)  # fmt: skip
    apart.run()
    assert state(apart, 0)[1] == need({}, BTC=10, ETH=-10) * USD


def test_correlations_that_bound_nothing_are_refused():
    story = venue((1e6, {}), rules=follows(none_at=0.5, whole_at=0.5))
    assert list(faults(build(Scenario, story))) == [
        ("margin.portfolio.credit_by_correlation.none_at",
         "0.5 is not below 0.5, where the whole credit counts")]  # fmt: skip


def some_rules(rng, floors=False):
    """Return a random grid over five assets, two of them spot."""
    moves = [0.0] + [
        rng.choice((-1, 1)) * rng.randint(1, 60) / 100 for _ in range(rng.randint(2, 6))
    ]
    return PortfolioRules(
        scenarios=tuple(
            build(PortfolioRules, {"scenarios": [
                {"spot_move": m, "damping": rng.choice((1.0, 0.35, 0.2))}]}).scenarios[0]
            for m in moves
        ),
        classes=rng.choice((
            {"one": ("A", "B", "S")}, {"one": ("A", "B"), "two": ("C", "S", "T")},
            {"all": ("T", "C", "S", "B", "A")}, {},
        )),
        move_scale={"B": rng.choice((0.5, 1.3)), "S": rng.choice((1.0, 1.07))},
        hedge_credit=rng.choice((0.0, 0.3, 0.85, 1.0)),
        break_move=rng.choice((0.0, 0.07, 0.3)),
        maintenance_factor=0.6,
        initial_factor=rng.choice((0.6, 1.1)),
        perpetual_addition=rng.choice((0.0, 0.013)),
        perpetual_initial_addition=0.005,
        floor_of_net=rng.choice((0.02, 0.3)) if floors else 0.0,
        floor_of_hedged=rng.choice((0.01, 0.2)) if floors else 0.0,
    )  # fmt: skip


NAMES, SPOT = ("A", "B", "C", "S", "T"), ("S", "T")


def some_book(rng):
    book = {
        name: rng.choice((0, 1, -1)) * rng.randint(1, 10 ** rng.randint(1, 12)) for name in NAMES
    }
    return {name: abs(value) if name in SPOT else value for name, value in book.items()}


def test_a_hedged_book_never_needs_more_than_the_sum_of_its_legs():
    """To the micro-USD, for any grid without floors."""
    rng, n_lower = random.Random(9), 0
    for _ in range(150):
        rules, book = some_rules(rng), some_book(rng)
        for level in (MAINTENANCE, INITIAL):
            whole = engine(rules, NAMES, SPOT, book, level)
            legs = [
                engine(
                    rules, NAMES, SPOT, {n: v if n == leg else 0 for n, v in book.items()}, level
                )
                for leg in NAMES
            ]
            assert whole <= sum(legs)
            n_lower += whole < sum(legs)
    assert n_lower > 50


def test_the_engine_agrees_with_the_grid_in_fractions_to_the_unit():
    rng, seen = random.Random(10), set()
    for case in range(200):
        rules, book = some_rules(rng, floors=case % 2 == 1), some_book(rng)
        for level in (MAINTENANCE, INITIAL):
            expected = grid_need(rules, SPOT, book, level)
            assert engine(rules, NAMES, SPOT, book, level) == expected
            seen.add(expected)
    assert len(seen) > 200


def test_the_engine_agrees_with_the_venue_s_grid_where_both_speak():
    """Derive's rules for perpetuals and coins of one underlying, as its test cases have them."""
    rng = random.Random(11)
    for _ in range(40):
        lots, coins = rng.randint(-40, 40), rng.randint(0, 40)
        story = venue((1e5, {"BTC": lots, "COIN": coins}), perpetuals=("BTC",), spot=("COIN",),
                      rules={"classes": {"btc": ["BTC", "COIN"]}})  # fmt: skip
        story["margin"]["collateral"] = {"COIN": {"haircut": 0.07, "initial_addition": 0.04}}
        model = model_of(story)
        cash = 1e5 - 100 * coins
        published = grid_margin(Portfolio(
            spot=100.0, cash=cash, perpetuals=lots, perpetual_price=100.0,
            collaterals=[Collateral(coins, 100.0, True, 0.07, 0.04)],
        ))  # fmt: skip
        equity, maintenance, _ = state(model, 0)
        assert (equity - maintenance) / USD == pytest.approx(published.maintenance, abs=1e-5)
        c = model.world.clearing
        initial = book_requirement(
            c.tables, model.world.board.ticks, c.accounts.position, c.accounts.mode, 0, INITIAL,
            NO_ASSET, 0,
        )  # fmt: skip
        left = (equity - initial) / USD - coins * 100 * (0.07 + 0.04)
        assert left == pytest.approx(published.initial, abs=1e-5)


# -- floors, coins, orders -------------------------------------------------------------------------


def test_a_floor_is_of_net_and_hedged_value_and_may_exceed_the_legs():
    """Paradex's form: 2 % of the net, 5 % of the hedged; then the charges."""
    floors = {**CLASS, "floor_of_net": 0.02, "floor_of_hedged": 0.05}
    assert need(floors, BTC=10, ETH=-10) == 50 + 30
    assert need(floors, BTC=10, ETH=-9) == max(Fraction("0.8") * 18, 2 + 45) + Fraction("28.5")
    high = {**CLASS, "floor_of_hedged": 0.4}
    assert need(high, BTC=10, ETH=-10) > need(high, BTC=10) + need(high, ETH=-10)


def test_a_coin_hedged_by_its_perpetual_needs_its_haircut_and_the_charge():
    """Cash and carry: 10 coins and 10 sold; outside the class the short stands alone."""
    one = {"classes": {"btc": ["BTC", "COIN"]}}
    for rules, expected in ((one, 100 + 15), ({}, 100 + 15 + 144)):
        story = venue((3000.0, {"BTC": -10, "COIN": 10}), perpetuals=("BTC",), spot=("COIN",),
                      rules=rules)  # fmt: skip
        assert state(model_of(story), 0)[1] == expected * USD


def test_orders_are_taken_by_the_scenarios_initial_margin_to_the_lot():
    """A lot needs 18 + 2 USD: 5 of them fit in 100. Against ETH sold, a lot of BTC frees 18."""
    model = model_of(venue((100.0, {})))
    assert [accepted(model, 0, lots) for lots in (5, 6, -5, -6)] == [5, 0, -5, 0]
    hedged = model_of(venue((119.0, {"ETH": -5})))
    assert state(hedged, 0)[0] == 119 * USD
    most = 5 + 5  # 20 lots charged 2 USD are 40... 119 = 2 (5 + b) + 18 (b - 5) gives b = 9.95
    assert [accepted(hedged, 0, lots) for lots in (most - 1, most)] == [9, 0]
    assert accepted(hedged, 0, -1) == 0, "one more on the same side is 120 for 119"
    assert accepted(hedged, 0, 5, resting={1: -3}) == 0, "a hedge that is not there hedges nothing"


def test_isolated_margin_and_spot_are_paid_from_what_the_book_leaves():
    """20 of 100 USD are left beside 4 lots: two lots isolated at 10x, none of spot."""
    model = model_of(venue((100.0, {"BTC": 4}), spot=("COIN",)))
    assert accepted(model, 0, 1, asset=2) == 0
    model.world.clearing.accounts.chosen_mode[1, 0] = 1
    assert [accepted(model, 0, lots, asset=1) for lots in (2, 3)] == [2, 0]


# -- judgement and closing -------------------------------------------------------------------------


def test_the_look_in_floats_lets_no_short_pool_pass():
    """A thousand random books, two fifths of them within a few micro-USD of their requirement."""
    rng = random.Random(12)
    story = venue((1e6, {}), perpetuals=("A", "B", "C"), spot=("S",),
                  rules={"classes": {"x": ["B", "C"]}, "break_move": 0.2, "floor_of_hedged": 0.02,
                         "move_scale": {"C": 1.3}, "hedge_credit": 0.9})  # fmt: skip
    model = model_of({**story, "traders": {"many": people(*[(1e6, {})] * 1000)}})
    c = model.world.clearing
    held = [[rng.choice((0, 1, -1)) * rng.randint(1, 10**6) for _ in range(1000)] for _ in range(4)]
    c.accounts.position[:] = held
    c.accounts.position[3] = abs(c.accounts.position[3])
    c.accounts.mode[:] = np.where(c.accounts.position != 0, CROSS, 0)
    marks = np.array([9_713, 10_411, 8_017, 101])
    for level in (10**9, 800_000_000):
        c.accounts.cash[0] = 0
        for n in range(1000):
            value, maintenance, _ = state(model, n, marks=marks)
            wanted = -(-maintenance * 10**9 // level)
            off = rng.choice((0, -1, 1, -3, 4, 10**4, -(10**5), 10**9, -(10**9), 10**12))
            c.accounts.cash[0, n] = wanted - value + off
        states = [state(model, n, marks=marks) for n in range(1000)]
        expected = [n for n, (e, m, _) in enumerate(states) if e * level < m * 10**9]
        room = np.empty(c.accounts.cash.size, np.int64)
        found = pools_short_of_margin(c.accounts, c.tables, marks, level, room)
        assert found.tolist() == expected
        assert 300 < len(expected) < 700


def test_what_memory_held_before_is_not_looked_at(monkeypatch):
    """Columns of a tile beyond the last account may hold anything, infinity too."""
    model = model_of(venue((170.0, {"BTC": 10}), (200.0, {"BTC": -10}), (1e6, {})))
    c, marks = model.world.clearing, np.array([TICKS - 200, TICKS])
    room = np.empty(c.accounts.cash.size, np.int64)

    def used(shape, kind=np.float64):
        return np.full(shape, np.inf if np.dtype(kind).kind == "f" else 77, kind)

    monkeypatch.setattr(np, "empty", used)
    found = pools_short_of_margin(c.accounts, c.tables, marks, 10**9, room)
    equity, maintenance, _ = state(model, 0, marks=marks)
    assert (equity, maintenance) == (150 * USD, 155_820_000) and found.tolist() == [0]


def test_beside_scenarios_isolated_positions_are_judged_by_their_bracket_to_the_unit():
    """A look in floats cannot tell them apart: a micro-USD below 5 %, at 5 %, and one above."""
    model = model_of(venue((1e6, {}), (1e6, {}), (1e6, {})))
    c = model.world.clearing
    for n, off in enumerate((1, -1, 0)):
        c.accounts.position[1, n], c.accounts.mode[1, n] = -7, ISOLATED
        c.accounts.cash[2, n] = 735 * USD + off
        assert state(model, n, pool=2)[:2] == (35 * USD + off, 35 * USD)
    room = np.empty(c.accounts.cash.size, np.int64)
    found = pools_short_of_margin(c.accounts, c.tables, model.world.board.ticks, 10**9, room)
    assert [divmod(code, c.accounts.id.size) for code in found.tolist()] == [(2, 1)]


@pytest.mark.parametrize("side", [1, -1])
def test_a_lone_leg_breaches_at_the_first_tick_of_its_closed_form(side):
    """Equity W + s q (p - 100) against q p (0.8 x 0.18 + 0.015)."""
    model = model_of(venue((300.0, {"BTC": 10 * side})))
    rate = Fraction("0.159")
    bankrupt = (Fraction(1000 * side) - 300) / (10 * side - 10 * rate)
    flips = []
    for ticks in range(int(bankrupt * 100) - 3, int(bankrupt * 100) + 4):
        equity, maintenance, _ = state(model, 0, marks=[ticks, TICKS])
        p = Fraction(ticks, 100)
        assert (equity < maintenance) == (300 + side * 10 * (p - 100) < 10 * p * rate)
        flips.append(equity < maintenance)
    assert True in flips and False in flips


def test_the_least_share_of_all_legs_restores_the_pool_and_one_permille_less_does_not():
    """Equity 40 of the broken hedge against 0.9: 43.08 (1 - s) is at most 36 from s = 0.1644."""
    story = venue(
        (160.0, {"BTC": 1000, "ETH": -1000}),
        market__shocks={"a": fall(0.2), "b": fall(0.08, "ETH")},
    )
    story["traders"]["some"]["accounts"][0]["wealth_usd"] = 16_000.0
    tables = run(story)
    orders = rows(tables, "forced_orders", "round", "asset", "filled_lots")
    maintenance = Fraction("0.144") * 120 * 100 + Fraction("0.015") * 172_000
    target = Fraction("0.9") * 4000
    share = next(
        s for s in range(1, 1001)
        if maintenance * (1000 - s) / 1000 <= target
    )  # fmt: skip
    assert orders == [(1, 0, -share), (1, 1, share)]
    assert rows(tables, "liquidations", "outcome") == [("restored",)]


def test_a_pool_that_no_share_restores_is_closed_whole():
    tables = run(venue((160.0, {"BTC": 10, "ETH": -10}), market__shocks={"a": fall(0.5)}))
    assert rows(tables, "forced_orders", "round", "asset", "filled_lots") == [
        (1, 0, -10),
        (1, 1, 10),
    ]
    assert rows(tables, "liquidations", "outcome") == [("bankrupt",)]


HEDGE = {"a": fall(0.3), "b": fall(0.2, "ETH")}


def test_a_kink_of_the_grid_is_shared_along_the_move():
    """Longs 1,000 to 700 and shorts 900 to 720: the net turns at five sixths of the move.

    Up to there BTC lowers the requirement and ETH raises it, then the reverse: -250 + 50 and
    150 - 30 times 14.4 cents. Only the 1,024th of the move with the turn in it may be off.
    """
    tables = run(venue((130.0, {"BTC": 10, "ETH": -9}), market__shocks=HEDGE))
    eaten = dict(rows(tables, "breach_amounts", "asset", "amount_micro_usd"))
    rate, charge, piece = Fraction("0.144"), Fraction("0.015"), Fraction(480, 1024)
    found = {a: Fraction(x, USD) for a, x in eaten.items()}
    assert abs(found[0] - (300 - 200 * rate - 300 * charge)) < piece * rate
    assert abs(found[1] - (-180 + 120 * rate - 180 * charge)) < piece * rate
    assert sum(found.values()) == 120 - 80 * rate - 480 * charge


def test_the_order_of_assets_does_not_matter_to_the_shares():
    found = []
    for order in (("BTC", "ETH"), ("ETH", "BTC")):
        story = venue((130.0, {"BTC": 10, "ETH": -9}), perpetuals=order, market__shocks=HEDGE)
        eaten = dict(rows(run(story), "breach_amounts", "asset", "amount_micro_usd"))
        found.append([eaten[order.index(name)] for name in ("BTC", "ETH")])
    assert max(abs(a - b) for a, b in zip(*found, strict=True)) <= 1


@pytest.mark.parametrize(("further", "expected"), [
    (0.0, {("adl", -1): Fraction("190.3")}),
    (0.1, {("price", 1): Fraction("79.03"), ("adl", -1): Fraction("170.14")}),
])  # fmt: skip
def test_deleveraging_that_breaks_a_hedge_is_charged_with_what_is_then_asked(further, expected):
    """Both fall by 30 %; the long's deficit of 100 takes the hedge's short away, at a loss of 100.

    The hedge had 200 against 21 and has 100 against 111.30 for ETH alone. If ETH falls on to 63 it
    would have lost 70 and been asked 9.03 more with its short, and the rest is still ADL's.
    """
    story = venue(
        (200.0, {"BTC": 10}), (200.0, {"BTC": -10, "ETH": 10}),
        market__book={"kind": "limit_order_book"}, liquidation__feedback="market",
        liquidation__insurance_fund_usd=0.0,
        market__shocks={"s": fall(0.3, "BTC", "ETH"), "t": fall(further, "ETH", at=3.0)},
    )  # fmt: skip
    tables = run(story)
    assert rows(tables, "adl", "account", "asset", "lots", "loss_micro_usd") == [
        (1, 0, 10, 100 * USD)]  # fmt: skip
    assert rows(tables, "liquidations", "account", "step")[:2] == [(0, 2), (1, 3)]
    found = rows(tables, "breach_amounts", "liquidation", "cause", "asset", "amount_micro_usd")
    eaten: dict[tuple[str, int], Fraction] = {}
    for number, cause, place, amount in found:
        if number == 1:
            eaten[cause, place] = eaten.get((cause, place), Fraction(0)) + Fraction(amount, USD)
    assert eaten == expected


@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_causes_and_money_add_up_in_a_lively_market_margined_by_scenarios(book):
    """Every judgement compares the causes with the ledger, and every stage both sums."""
    grid = {"scenarios": [{"spot_move": m} for m in (-0.08, -0.04, 0.0, 0.04, 0.08)]}
    story = lively(
        book,
        0.7,
        margin__portfolio={**CLASS, **grid, "hedge_credit": 0.9, "break_move": 0.05},
        margin__cross__closure=LEAST,
        duration_seconds=25.0,
        market__shocks={"s": fall(0.25, at=10.0)},
        liquidation__insurance_fund_usd=0.0,
    )
    tables = tables_of(model_of(story))
    modes = tables["liquidations"]["mode"].tolist()
    assert modes.count("cross") > 10
    assert tables["adl"]["account"].size > 0
    lost = rows(tables, "liquidations", "liquidation", "excess_before_micro_usd",
                "equity_micro_usd", "maintenance_micro_usd")  # fmt: skip
    amounts = rows(tables, "breach_amounts", "liquidation", "amount_micro_usd")
    for number, before, equity, maintenance in lost:
        mine = sum(x for n, x in amounts if n == number)
        assert mine == before - (equity - maintenance)
