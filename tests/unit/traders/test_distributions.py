"""Quantile functions of wealth and leverage against closed forms."""

from __future__ import annotations

import math

import pytest

from stresslab.core.declarations import faults
from stresslab.traders.distributions import Equal, Leverage, Lognormal, Pareto


def test_equal_wealth_is_equal() -> None:
    assert Equal(amount_usd=5.0).usd(0.1) == Equal(amount_usd=5.0).usd(0.9) == 5.0


def test_lognormal_quantiles() -> None:
    wealth = Lognormal(median_usd=100.0, sigma=0.5, cap_usd=300.0)
    assert wealth.usd(0.5) == pytest.approx(100.0)
    assert wealth.usd(0.8413447460685429) == pytest.approx(100.0 * math.exp(0.5))
    assert wealth.usd(0.999999) == 300.0


def test_pareto_quantiles_run_from_the_minimum_to_the_cap() -> None:
    wealth = Pareto(minimum_usd=10.0, tail=0.8, cap_usd=1e7)
    assert wealth.usd(1e-12) == pytest.approx(10.0)
    assert wealth.usd(1.0) == pytest.approx(1e7)
    survival = (wealth.usd(0.9) / 10.0) ** -0.8
    beyond_cap = (1e7 / 10.0) ** -0.8
    assert (1.0 - survival) / (1.0 - beyond_cap) == pytest.approx(0.9)


def test_leverage_is_cut_off_on_both_sides() -> None:
    leverage = Leverage(median=10.0, sigma=1.0, minimum=2.0, cap=50.0)
    assert leverage.of(0.5) == pytest.approx(10.0)
    assert leverage.of(1e-9) == 2.0
    assert leverage.of(1.0 - 1e-9) == 50.0


def test_bounds_in_the_wrong_order_are_faults() -> None:
    assert [path for path, _ in faults(Pareto(minimum_usd=10.0, cap_usd=10.0))] == ["cap_usd"]
    assert [path for path, _ in faults(Leverage(minimum=3.0, cap=2.0))] == ["cap"]
