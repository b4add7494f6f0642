"""What scenarios ask of a pool, to the micro-USD where roundings are all there is."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.margin.acceptance import free_wallet
from stresslab.margin.initial_calls import pools_to_call
from stresslab.margin.portfolio.book import (
    ALL_LEGS,
    INITIAL,
    MAINTENANCE,
    NO_ASSET,
    book_requirement,
)
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import USD, accepted, model_of, state
from tests.reference.plain_grid import grid_need
from tests.reference.scenario_venue import NAMES, SPOT, engine, some_rules, venue


@pytest.mark.parametrize("case", range(60))
def test_a_few_micro_usd_are_asked_as_fractions_say(case):
    """Books of at most 40 micro-USD a leg: every rounding is a large part of what is asked."""
    rng = random.Random(case)
    rules = some_rules(rng, floors=case % 2 == 1)
    book = {name: rng.choice((0, 1, -1)) * rng.randint(1, rng.choice((1, 3, 40))) for name in NAMES}
    book = {name: abs(value) if name in SPOT else value for name, value in book.items()}
    for level in (MAINTENANCE, INITIAL):
        assert engine(rules, NAMES, SPOT, book, level) == grid_need(rules, SPOT, book, level)


@pytest.mark.parametrize("credit", [0.3, 0.5, 0.85])
@pytest.mark.parametrize("size", range(1, 12))
def test_the_hedge_credit_is_rounded_down(size, credit):
    """As much sold as held: nothing but what is not credited can be lost."""
    rules = PortfolioRules(
        classes={"one": ("A", "B")}, hedge_credit=credit, maintenance_factor=1.0,
        perpetual_addition=0.0, scenarios=PortfolioRules(scenarios=_moves()).scenarios,
    )  # fmt: skip
    left = size - int(round(size * credit * 100) // 100)
    assert engine(rules, ("A", "B"), (), {"A": size, "B": -size}, MAINTENANCE) == left


def _moves():
    """Return a grid in which everything is lost in a fall, or in a rise."""
    from stresslab.core.declarations import build

    moves = [{"spot_move": 0.0}, {"spot_move": -0.999999999}, {"spot_move": 1.0}]
    return build(PortfolioRules, {"scenarios": moves}).scenarios


def asked(tables, position, mode, level=INITIAL, asset=NO_ASSET, lots=0):
    marks = np.array([101, 99, 100])
    return int(book_requirement(tables, marks, position, mode, 1, level, asset, lots))


def test_lots_stand_in_for_a_position_and_permilles_close_of_every_leg():
    """Column 1 of two: 7 and -11 lots under cross beside an isolated position, 3 of spot."""
    model = model_of(venue((1e6, {"BTC": 1}), spot=("COIN",)))
    tables = model.world.clearing.tables
    position = np.array([[50, 7], [50, -11], [50, 3]])
    mode = np.full((3, 2), CROSS, np.int8)
    whole = asked(tables, position, mode)
    assert whole > 0
    for asset, lots in itertools.product((0, 1), (-20, -1, 0, 1, 7, 30)):
        other = position.copy()
        other[asset, 1] = lots
        assert asked(tables, position, mode, INITIAL, asset, lots) == asked(tables, other, mode)
    seen = set()
    for permille in (0, 1, 142, 143, 500, 999, 1000):
        rest = position.copy()
        for a in range(3):
            closed = -(-abs(int(rest[a, 1])) * permille // 1000)
            rest[a, 1] -= closed if rest[a, 1] > 0 else -closed
        found = asked(tables, position, mode, MAINTENANCE, ALL_LEGS, permille)
        assert found == asked(tables, rest, mode, MAINTENANCE)
        seen.add(found)
    assert len(seen) > 4 and min(seen) == 0
    for lone in (ISOLATED, FLAT):
        mode[1, 1], gone = lone, position.copy()
        gone[1, 1] = 0
        assert asked(tables, position, mode) == asked(tables, gone, mode) != whole


def test_one_asset_alone_is_margined_by_scenarios_everywhere():
    """Ten lots that fall by a tenth: 100 USD to live, 130 to be opened, whatever brackets say."""
    moves = [{"spot_move": move, "volatility": "none"} for move in (0.0, -0.1, 0.1)]
    rules = {"scenarios": moves, "perpetual_addition": 0.0, "perpetual_initial_addition": 0.0,
             "maintenance_factor": 1.0, "initial_factor": 1.3}  # fmt: skip
    model = model_of(venue((130.0, {"BTC": 10}), perpetuals=("BTC",), rules=rules))
    c, marks = model.world.clearing, model.world.board.ticks
    room = np.empty(c.accounts.cash.size, np.int64)

    def called() -> tuple[list[int], list[int], list[int]]:
        levels = np.array([RATE_UNIT])
        found = pools_to_call(c.accounts, c.tables, marks, levels, room)
        short = pools_short_of_margin(c.accounts, c.tables, marks, RATE_UNIT, room)
        return found.pools.tolist(), found.short.tolist(), short.tolist()

    assert state(model, 0)[:2] == (130 * USD, 100 * USD)
    assert called() == ([], [], []) and free_wallet(c.accounts, c.tables, marks, 0) == 0
    assert [accepted(model, 0, lots) for lots in (1, -20, -21)] == [0, -20, 0]
    c.accounts.wallet[0] -= 1
    assert called() == ([0], [], [])
    assert [accepted(model, 0, lots) for lots in (-10, -11, -20)] == [-10, 0, 0]
    c.accounts.wallet[0] -= 30 * USD
    assert called() == ([0], [0], [0])
    c.accounts.wallet[0] += 31 * USD
    assert free_wallet(c.accounts, c.tables, marks, 0) == 1 * USD - 1
