"""Leveraged value funds against a slow version written from the paper, price for price.

The twin knows one market: noise demand in shares is an amount over the price, funds demand
``min(β m, λ) W / p``, and the price is found by bisection. It keeps its own wealth in floats.
"""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.validation.leveraged_funds import scenario
from stresslab.validation.simulated import simulated

STEPS = 300
SEED = 7  # noise goes above and below value
AGGRESSIONS = range(5, 55, 5)
CAPITAL, SUPPLY = 2e6, 1e9


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


def slow_prices(noise, limit):
    """Return the price of every step; ``noise`` is what all shares would cost without funds."""
    funds, last, prices = [Fund(b) for b in AGGRESSIONS], 1.0, []
    for step, index in enumerate(noise):

        def excess(price, index=index, last=last):
            held = sum(fund.demand(price, last, limit) for fund in funds)
            return SUPPLY * index / price + held - SUPPLY

        low, high = 0.5 * last, 2.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        for fund in funds:
            fund.settle(low, last, limit, step)
        last = low
        prices.append(low)
    return np.array(prices)


@pytest.mark.parametrize("limit", [1.0, 8.0])
def test_prices_are_those_of_the_slow_market(limit):
    path = simulated(scenario([limit], 1, STEPS), seed=SEED)[0]["path"]
    index, marks = path["index_ticks"] * 1e-6, path["mark_ticks"] * 1e-6
    expected = slow_prices(index, limit)

    assert abs(marks - index).max() > 0.01, "the funds have moved the price"
    assert (marks > 1.0).sum() > 20 and (marks < 1.0).sum() > 20
    np.testing.assert_allclose(
        marks, expected, rtol=2e-4
    )  # whole ticks, times what leverage makes of them
