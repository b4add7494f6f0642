"""What traders see of the market: trend and volatility fade at their half-life."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.market.view import look, make_market


def view(calm=0.0):
    return make_market(
        index=np.array([10_000, 500]),
        normal_volatility=np.array([calm, calm]),
        correlation=0.3,
        unit_value=np.array([1, 1]),
        initial_rate=np.array([0.1, 0.1]),
        is_spot=np.array([0, 0]),
    )


def test_it_begins_calm_with_marks_at_the_index_and_empty_books():
    market = view(calm=0.01)
    assert market.mark.tolist() == market.index.tolist() == [10_000, 500]
    assert market.best_bid.tolist() == [-1, -1]
    assert market.volatility.tolist() == [0.01, 0.01]
    assert market.correlation.tolist() == [[1.0, 0.3], [0.3, 1.0]]


def test_trend_and_volatility_are_averages_of_simple_returns():
    market = view()
    look(market, np.array([9_000, 500]), np.array([9_900, 500]), 0.75)
    assert market.trend.tolist() == pytest.approx([-0.0025, 0.0])
    assert market.volatility.tolist() == pytest.approx([0.005, 0.0])
    assert (market.mark[0], market.index[0]) == (9_900, 9_000)
    look(market, np.array([9_000, 500]), np.array([9_900, 500]), 0.75)
    assert market.trend[0] == pytest.approx(-0.0025 * 0.75)
    assert market.volatility[0] == pytest.approx(0.005 * math.sqrt(0.75))
