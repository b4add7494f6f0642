"""What rules of closure share: legs and their ranking, new orders, the fewest lots that restore."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from stresslab.core.events import ISOLATED
from stresslab.liquidation.closing import Closer
from stresslab.liquidation.closures.kernels.common import (
    add_order,
    is_leg,
    is_restored,
    lots_to_restore,
    maintenance_of_legs,
    next_leg,
)
from stresslab.liquidation.closures.legs import LEGS
from stresslab.liquidation.forced import make_forced_orders
from tests.markets import TICKS, TIERS, UNIT, USD, bracket_margin, market, model_of, people

NAMES = ("A", "B", "C", "D")


def venue(held, leg="largest_maintenance", **changes):
    """Return columns and terms of an account, row 1, with some legs; D is isolated."""
    rest = {name: -lots for name, lots in held.items()}
    changes.setdefault("margin__brackets", dict.fromkeys(NAMES, TIERS))
    story = market(
        {"some": people((1e3, {}), (1e5, held), (1e9, rest))},
        assets=NAMES,
        margin__cross__closure={"kind": "least_to_restore", "leg": leg},
        **changes,
    )
    model = model_of(story)
    c = model.world.clearing
    if c.accounts.position[3, 1]:
        c.accounts.mode[3, 1] = ISOLATED
    return c, Closer(model._scenario.margin, 0.9, c, 1.0)._by_mode[2].terms


def test_a_leg_is_an_open_position_of_the_pool():
    """A and B are in the wallet, D in its silo; C is flat, and so is all of account 0."""
    c, _ = venue({"A": 1, "B": -1, "D": 5})
    found = [[a for a in range(4) if is_leg(c.accounts, pool, 1, a)] for pool in range(5)]
    assert found == [[0, 1], [], [], [], [3]]
    c.accounts.mode[2, 1] = 2
    assert not is_leg(c.accounts, 0, 1, 2), "what is flat is no leg whatever its mode"
    assert not any(is_leg(c.accounts, 0, 0, a) for a in range(4))


def ranked(c, terms, marks, pool=0):
    """Return all legs in turn."""
    order, leg = [], -1
    while (leg := next_leg(c.accounts, c.tables, terms, marks, pool, 1, leg)) >= 0:
        order.append(int(leg))
    return order


@pytest.mark.parametrize("leg", sorted(LEGS))
@pytest.mark.parametrize("seed", range(4))
def test_legs_come_by_falling_score_and_equal_ones_by_asset(leg, seed):
    """Few sizes, so that many are equal; each once."""
    rng = Random(f"{leg}{seed}")
    held = {name: rng.choice((-1, 1)) * rng.choice((10, 20)) for name in NAMES[:3]}
    c, terms = venue(held, leg)
    marks = np.array([rng.choice((9000, 11_000)) for _ in NAMES])
    terms.depth[:] = np.array([rng.choice((5, 9)) for _ in range(8)]).reshape(2, 4)
    value = {a: q * int(marks[a]) * UNIT for a, q in enumerate(held.values())}
    score = {
        "largest_maintenance": lambda a: bracket_margin(abs(value[a])),
        "largest_notional": lambda a: abs(value[a]),
        "largest_loss": lambda a: int(c.accounts.entry_cost[a, 1]) - value[a],
        "most_liquid": lambda a: int(terms.depth[int(value[a] < 0), a] * marks[a]),
    }[leg]
    assert ranked(c, terms, marks) == sorted(range(3), key=lambda a: (-score(a), a))


def test_of_endless_depths_the_legs_come_by_asset_and_of_none_too():
    """A law without a bound may say that 2^52 lots are there: more than money can count."""
    c, terms = venue({"A": 1, "B": -1, "C": 2}, "most_liquid")
    marks = np.array([TICKS] * 4)
    terms.depth[:] = 2**52
    assert ranked(c, terms, marks) == [0, 1, 2]
    terms.depth[:] = 0
    assert ranked(c, terms, marks) == [0, 1, 2]
    terms.depth[1, 1] = 1
    assert ranked(c, terms, marks) == [1, 0, 2], "a short is bought back from asks"


def test_what_legs_need_is_the_sum_of_each_by_itself():
    c, terms = venue({"A": 25, "B": -26, "D": 700})
    marks = np.array([8000, 8000, TICKS, 8000])
    need = [bracket_margin(lots * 80 * USD) for lots in (25, 26, 700)]
    found = [maintenance_of_legs(c.accounts, c.tables, marks, pool, 1) for pool in range(5)]
    assert found == [need[0] + need[1], 0, 0, 0, need[2]]
    assert ranked(c, terms, marks, pool=4) == [3] and ranked(c, terms, marks, pool=1) == []


@pytest.mark.parametrize("lots", [1, 3])
def test_an_order_closes_towards_zero_and_begins_with_nothing(lots):
    c, _ = venue({"A": 3, "B": -3, "D": 1})
    orders = make_forced_orders(3)
    for column in orders[1:]:
        column[:] = 77
    for a in (0, 2, 1):
        add_order(c.accounts, orders, 4 + a, 1, a, 0 if a == 2 else lots, 10 * a)
    assert orders.n[0] == 2, "no lots are no order"
    rows = [[int(column[k]) for column in orders[1:]] for k in range(2)]
    assert rows == [
        [4, 1, 0, -lots, 0, -1, 0, 0, 0, 0, 0],
        [5, 1, 1, lots, 10, -1, 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize(("equity", "maintenance", "closed", "expected"), [
    (1000, 900, 0, True), (1000, 901, 0, False), (999, 899, 0, True), (999, 900, 0, False),
    (1, 0, 0, True), (0, 0, 0, False), (-1, 0, 0, False),
    (1003, 900, 2000, True), (1002, 900, 2000, False), (1003, 900, 2001, False),
])  # fmt: skip
def test_a_pool_is_restored_at_its_target_and_charges_are_rounded_up(
    equity, maintenance, closed, expected
):
    """0.9 of equity, less a fee of 0.05 % and a penalty of 0.1 %, each up to the unit."""
    _, terms = venue({"A": 1})
    terms.rates[:] = 500_000, 1_000_000, 900_000_000
    assert is_restored(terms, equity, maintenance, closed) == expected


@pytest.mark.parametrize("seed", range(12))
def test_the_fewest_lots_that_restore_are_found_among_all(seed):
    """Tried one after another in fractions; the whole leg if none is enough."""
    rng = Random(seed)
    held = {"A": rng.choice((-1, 1)) * rng.randint(1, 700), "B": -rng.randint(1, 60)}
    c, terms = venue(held)
    terms.rates[:] = (
        rng.choice((0, 500_001)),
        rng.choice((0, 5_000_001)),
        rng.choice((9, 10)) * 10**8,
    )
    marks = np.array([rng.randint(7000, 12_000) for _ in NAMES])
    price = [int(m) * UNIT for m in marks]
    need = [bracket_margin(abs(q) * price[a]) for a, q in enumerate(held.values())]
    equity = int(sum(need) * rng.uniform(0.1, 1.1))
    worth = sum(q * price[a] for a, q in enumerate(held.values()))
    c.accounts.cash[0, 1] = equity - worth
    fee, penalty, target = (Fraction(int(rate), 10**9) for rate in terms.rates)

    def restores(lots):
        left = equity - -(-lots * price[0] * fee // 1) - -(-lots * price[0] * penalty // 1)
        kept = bracket_margin((abs(held["A"]) - lots) * price[0])
        return left > 0 and kept + need[1] <= left * target

    whole = abs(held["A"])
    expected = next((n for n in range(1, whole) if restores(n)), whole)
    assert lots_to_restore(c.accounts, c.tables, terms, marks, 0, 1, 0) == expected
