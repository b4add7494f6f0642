"""The plain program behind the page on leverage clears its markets and counts falls as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.statistics import leverage_study as study

#: Funds that hold, at a price of 0.7, just what they want, and are bankrupt at a price of 0.6.
SHARES = np.full(10, 30.0)
CASH = 2.5 - 0.7 * SHARES
SPENT = 700.0 - 82.5 * 2.5


def plain(function: Any) -> Any:
    return getattr(function, "py_func", function)


def price(rule: int, last: float = 1.0, limit: float = 15.0) -> float:
    return float(plain(study.clearing_price)(SPENT, limit, CASH, SHARES, last, rule))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes longer than these few prices."""
    monkeypatch.setattr(study, "edges_below_value", plain(study.edges_below_value))


def test_each_rule_finds_a_price_that_clears_and_they_differ() -> None:
    high, low = price(study.HIGHEST), price(study.LOWEST)
    for found in (high, low):
        left = plain(study.excess)(found, SPENT, 15.0, CASH, SHARES)
        assert left == pytest.approx(0.0, abs=1e-9)
    assert low == pytest.approx(SPENT / study.SUPPLY)  # all funds are bankrupt there
    assert high > 0.7 > low
    assert plain(study.excess)(0.7, SPENT, 15.0, CASH, SHARES) == pytest.approx(0.0, abs=1e-9)
    assert price(study.NEAREST, last=0.95) == high
    assert price(study.NEAREST, last=0.5) == low


def test_readings_of_negative_returns_differ_where_falls_do() -> None:
    """Falls of a tenth begin above value, falls of a hundredth below it."""
    rng = np.random.Generator(np.random.Philox(key=3))
    sizes = np.where(np.arange(4000) % 2, 0.1, 0.01) * (1.0 + rng.random(4000))
    prices = np.ravel(np.column_stack([np.where(sizes > 0.05, 3.0, 0.5), np.ones(4000)]))
    prices[1::2] = prices[::2] * np.exp(-sizes)
    told = study.hills_by_reading(prices)
    assert told["begin below"] != told["all"]
    assert len(told) == 6 and all(len(exponents) == 3 for exponents in told.values())
