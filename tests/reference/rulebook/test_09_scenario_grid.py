"""Rule 9: what a grid of scenarios asks, with its floors, of coins and of orders.

``plain_grid`` is written from the words, with whole micro-USD and Fractions, scenario by scenario;
the engine needs only the worst fall and the worst rise.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from stresslab.margin.portfolio import Collateral, Portfolio, grid_margin
from stresslab.margin.portfolio.book import INITIAL, MAINTENANCE, NO_ASSET, book_requirement
from tests.markets import USD, accepted, model_of, state
from tests.reference.plain_grid import grid_need
from tests.reference.scenario_venue import (
    CLASS,
    NAMES,
    SPOT,
    engine,
    need,
    some_rules,
    venue,
)


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
