"""Discrete choice: what a trader sees, and what the kernel makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.core.columns import MARKET, Orders, make_orders
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.traders.choice.logit import Logit, View
from stresslab.traders.group import Group
from stresslab.traders.kernels.choice import probability
from stresslab.traders.trader import Order
from tests.toy_traders import draws_of, random_group


def _group() -> Group:
    """Return traders without positions, a million USD each, who open one in asset 0."""
    group = random_group("passive", seed=5, n_traders=2_000)
    a = group.accounts
    a.position[:], a.mode[:], a.cash[:] = 0, FLAT, 0
    a.wallet[:] = 10**12
    a.n_liquidations[:] = 0
    group.columns.risk_aversion[:] = 0.0
    group.market.normal_volatility[:] = 1e-4
    for row in range(a.id.size):
        a.id[row] = row
    return group


def _opening(group: Group, lots: int = 100, reduce_only: int = 0) -> Orders:
    """Return one order of every trader in asset 0."""
    orders = make_orders(group.members.size)
    for row in group.members:
        _put(orders, row, Order(0, MARKET, lots, reduce_only=reduce_only))
    return orders


def _put(orders: Orders, row: int, order: Order) -> None:
    place = orders.n[0]
    orders.n[0] += 1
    orders.trader[place] = row
    for name, value in order._asdict().items():
        getattr(orders, name)[place] = value


def _cross_share(group: Group, rule: Logit, orders: Orders) -> float:
    rule.choose_first(group, draws_of(group))
    group.accounts.chosen_mode[0] = ISOLATED
    rule.choose(group, draws_of(group), orders, 0, int(orders.n[0]))
    return float((group.accounts.chosen_mode[0] == CROSS).mean())


def _logistic(utility: float) -> float:
    return 1.0 / (1.0 + math.exp(-utility))


def test_kernel_and_formula_agree() -> None:
    rule, rng = Logit(constant=0.3), np.random.default_rng(0)
    for _ in range(200):
        free, offset = rng.random(2)
        view = View(free, int(rng.integers(5)), offset, rng.normal(), float(rng.integers(-3, 3)))
        assert probability(rule.coefficients(), view) == pytest.approx(
            rule.probability(view), abs=2e-9
        )


def test_share_of_cross_is_the_probability() -> None:
    group = _group()
    rule = Logit(constant=1.5, free_collateral=-1.0)
    share = _cross_share(group, rule, _opening(group))
    assert share == pytest.approx(_logistic(0.5), abs=4 * 0.011)


def test_an_offsetting_position_favours_cross() -> None:
    group = _group()
    group.accounts.position[1] = 1_000
    group.accounts.mode[1] = CROSS
    value = group.market.mark * group.market.unit_value
    group.accounts.wallet[:] -= 1_000 * value[1]
    match = round(1_000 * value[1] / value[0])
    rule = Logit(free_collateral=0.0, other_positions=0.0, offsetting=4.0)

    with_it = _cross_share(group, rule, _opening(group, lots=match))
    against_it = _cross_share(group, rule, _opening(group, lots=-match))

    # Two legs of equal risk with correlation 1/2: sd of the book 3^.5 or 1 over 2.
    assert with_it == pytest.approx(_logistic(4 * (1 - math.sqrt(3) / 2)), abs=0.05)
    assert against_it == pytest.approx(_logistic(4 * 0.5), abs=0.05)


def test_liquidations_turn_traders_away_from_the_mode_they_had() -> None:
    rule = Logit(free_collateral=0.0, experience=1.0)
    burnt = _group()
    burnt.accounts.n_liquidations[:] = 2
    share_after_isolated = _cross_share(burnt, rule, _opening(burnt))
    assert burnt.columns.experience.tolist() == [2] * 2_000
    assert share_after_isolated == pytest.approx(_logistic(2.0), abs=0.04)

    burnt = _group()
    burnt.accounts.n_liquidations[:] = 2
    group_orders = _opening(burnt)
    rule.choose_first(burnt, draws_of(burnt))
    burnt.accounts.chosen_mode[0] = CROSS
    rule.choose(burnt, draws_of(burnt), group_orders, 0, int(group_orders.n[0]))
    assert burnt.columns.experience.tolist() == [-2] * 2_000


def test_risk_aversion_and_other_positions_count() -> None:
    rule = Logit(free_collateral=0.0, risk_aversion=-1.0)
    averse = _group()
    averse.columns.risk_aversion[:] = 1.0
    assert _cross_share(averse, rule, _opening(averse)) == pytest.approx(_logistic(-1.0), abs=0.05)

    busy = _group()
    busy.accounts.position[1:3] = 1
    busy.accounts.mode[1:3] = ISOLATED
    rule = Logit(free_collateral=0.0, other_positions=1.0, offsetting=0.0)
    assert _cross_share(busy, rule, _opening(busy)) == pytest.approx(_logistic(2.0), abs=0.04)


def test_a_mode_is_locked_until_flat() -> None:
    group = _group()
    group.accounts.position[0] = 5
    group.accounts.mode[0] = ISOLATED
    assert _cross_share(group, Logit(constant=20.0), _opening(group)) == 0.0


def test_orders_that_only_reduce_choose_nothing() -> None:
    group = _group()
    assert _cross_share(group, Logit(constant=20.0), _opening(group, reduce_only=1)) == 0.0
    assert _cross_share(group, Logit(constant=20.0), _opening(group)) == 1.0
