"""Leveraged value funds against a slow version written from the paper, price for price.

The twin knows one market: noise demand in shares is an amount over the price, funds demand
``min(β m, λ) W / p``. The first change of sign of excess demand on a fine grid, from below or from
above, is made exact by bisection. It keeps its own wealth in floats.
"""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.validation.leveraged_funds import scenario
from stresslab.validation.simulated import simulated

STEPS = 300
SEED = 1  # noise goes above and below value, and prices that clear part
AGGRESSIONS = range(5, 55, 5)
CAPITAL, SUPPLY = 1e7, 1e9  # funds large enough to make several prices clear


class Fund:
    def __init__(self, aggression):
        self.aggression, self.shares, self.closed_until = aggression, 0.0, None
        self.open()

    def open(self):
        self.wealth, self.performance, self.shares = CAPITAL, 0.005, 0.0

    def demand(self, price, last, limit):
        wealth = self.wealth + self.shares * (price - last)
        if self.closed_until is not None or wealth <= 0:
            return 0.0
        return min(self.aggression * max(0.0, 1.0 - price), limit) * wealth / price

    def settle(self, price, last, limit, step):
        """Take in the new price, then investors' money, then closing; return the shares."""
        if self.closed_until is not None:
            if step == self.closed_until:
                self.closed_until = None
                self.open()
            return
        wanted = self.demand(price, last, limit)
        gained = self.shares * (price - last) / self.wealth
        self.wealth += self.shares * (price - last)
        self.shares = wanted
        self.performance = 0.9 * self.performance + 0.1 * gained
        self.wealth += max(-1.0, 0.15 * (self.performance - 0.005)) * self.wealth
        if self.wealth < 0.1 * CAPITAL:
            self.closed_until, self.shares = step + 100, 0.0


GRID = np.linspace(2.0, 0.2, 9_001)


def first_price(excess, grid):
    """Return where excess demand first changes its sign along a grid."""
    signs = np.array([excess(price) > 0 for price in grid])
    place = int(np.argmax(signs != signs[0]))
    high, low = sorted((grid[place - 1], grid[place]), reverse=True)
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low


def slow_prices(noise, limit, is_lowest):
    """Return the price of every step; ``noise`` is what all shares would cost without funds."""
    funds, last, prices = [Fund(b) for b in AGGRESSIONS], 1.0, []
    for step, index in enumerate(noise):

        def excess(price, index=index, last=last):
            held = sum(fund.demand(price, last, limit) for fund in funds)
            return SUPPLY * index / price + held - SUPPLY

        near = GRID[(GRID < max(index, 1.0) + 0.01) & (GRID > 0.9 * min(index, last))]
        price = first_price(excess, near[::-1] if is_lowest else near)
        for fund in funds:
            fund.settle(price, last, limit, step)
        last = price
        prices.append(price)
    return np.array(prices)


def played(limit, is_lowest):
    market = scenario([limit], 1, STEPS)
    strategy = market["traders"]["funds_0"]["strategy"]
    strategy |= {"clears_lowest": is_lowest, "capital_usd": CAPITAL}
    path = simulated(market, seed=SEED)[0]["path"]
    return path["index_ticks"] * 1e-6, path["mark_ticks"] * 1e-6


@pytest.mark.parametrize(("limit", "is_lowest"), [(1.0, True), (15.0, False), (15.0, True)])
def test_prices_are_those_of_the_slow_market(limit, is_lowest):
    index, marks = played(limit, is_lowest)
    expected = slow_prices(index, limit, is_lowest)

    assert abs(marks - index).max() > 0.01, "the funds have moved the price"
    assert (marks > 1.0).sum() > 20 and (marks < 1.0).sum() > 20
    np.testing.assert_allclose(
        marks, expected, rtol=1e-3
    )  # whole ticks, times what leverage makes of them


def test_several_prices_clear_where_funds_may_borrow_much():
    assert abs(played(15.0, True)[1] / played(15.0, False)[1] - 1.0).max() > 0.01
    assert np.array_equal(played(1.0, True)[1], played(1.0, False)[1])
