"""Margin of a notional: exact at every boundary, rounded up, by bracket, cap and mode."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.core.errors import ConfigError
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import CEIL, FLOOR
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.tiers import (
    RATE_UNIT,
    initial_margin,
    initial_margins,
    maintenance_margin,
    margin_tables,
    margins,
    share_of,
)
from tests.markets import USD

ROWS = [(0, "0.004", 150), (300_000, "0.005", 100), (800_000, "0.0065", 75), (3_000_000, "0.01", 3)]
FLOORS = [floor * USD for floor, _, _ in ROWS]


def tables(rows=ROWS, *, cap=None, factor=1.25, haircut=0.1):
    """Return the tables of BTC, with the given rows, and of a spot asset."""
    names = ("floor_usd", "maintenance_rate", "max_leverage")
    brackets = [dict(zip(names, (float(x) for x in row), strict=True)) for row in rows]
    isolated = {"closure": {"kind": "whole"}, "penalty_rate": 0.0, "initial_margin_factor": factor}
    rules = build(
        MarginAndClosure,
        {
            "brackets": {"BTC": brackets},
            "isolated": isolated,
            "max_leverage": {"BTC": cap} if cap else {},
            "spot_haircut": haircut,
        },
    )
    return margin_tables(rules, ["BTC", "GOLD"], np.array([0, 1]), np.array([1, 1]))


def by_hand(notional: int) -> tuple[Fraction, Fraction]:
    """Return (maintenance, initial margin) bracket by bracket, as fractions of a micro-USD.

    Maintenance adds up the parts of the notional in each bracket at its own rate.
    """
    maintenance, leverage = Fraction(0), Fraction(0)
    ends = [*FLOORS[1:], None]
    for floor, end, (_, rate, highest) in zip(FLOORS, ends, ROWS, strict=True):
        if notional > floor:
            inside = (notional if end is None else min(notional, end)) - floor
            maintenance += inside * Fraction(rate)
            leverage = Fraction(highest)
    return maintenance, notional / leverage


@pytest.mark.parametrize("floor", FLOORS[1:])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_margins_at_a_floor_to_the_micro_usd(floor, off):
    """A floor belongs to the bracket below; one micro-USD more is in the next."""
    notional = floor + off
    maintenance, initial = by_hand(notional)
    assert maintenance_margin(tables(), 0, notional) == math.ceil(maintenance)
    got = initial_margin(tables(), 0, notional, CROSS)
    assert 0 <= got - initial < 2 + notional / 10**9, "1/leverage is rounded up to 1e-9"


def test_initial_margin_jumps_where_maintenance_does_not():
    below, above = FLOORS[3], FLOORS[3] + 1
    t = tables()
    assert maintenance_margin(t, 0, above) - maintenance_margin(t, 0, below) <= 1
    assert initial_margin(t, 0, above, CROSS) > 20 * initial_margin(t, 0, below, CROSS)


def test_maintenance_is_rounded_up_against_the_trader():
    """0.4 % of 1 micro-USD is charged as a whole one; 0.4 % of 250 is one exactly."""
    assert [maintenance_margin(tables(), 0, n) for n in (0, 1, 250, 251)] == [0, 1, 1, 2]


def test_isolated_initial_margin_is_the_factor_times_cross():
    t = tables(factor=1.25)
    cross, isolated = (initial_margin(t, 0, 150_000 * USD, m) for m in (CROSS, ISOLATED))
    assert (cross, isolated) == (1000_000_050, math.ceil(Fraction(5, 4) * 1000_000_050))


def test_a_leverage_cap_binds_only_where_brackets_allow_more():
    capped = tables(cap=50.0)
    assert initial_margin(capped, 0, 100 * USD, CROSS) == 2 * USD
    assert initial_margin(capped, 0, FLOORS[3] + 6 * USD, CROSS) == pytest.approx(
        (FLOORS[3] + 6 * USD) / 3, abs=5000
    )
    assert maintenance_margin(capped, 0, 100 * USD) == maintenance_margin(tables(), 0, 100 * USD)


def test_spot_is_paid_in_full_and_keeps_its_haircut():
    t = tables(haircut=0.2)
    assert initial_margin(t, 1, 100 * USD, CROSS) == 100 * USD
    assert initial_margin(t, 1, 100 * USD, ISOLATED) == 100 * USD
    assert maintenance_margin(t, 1, 100 * USD) == 20 * USD


def test_many_margins_are_the_margins_one_by_one():
    notional = np.array([0, 1, FLOORS[1], FLOORS[2] + 1])
    one_by_one = [initial_margin(tables(), 0, int(n), ISOLATED) for n in notional]
    assert one_by_one[0] == 0 and all(one_by_one[1:])
    assert initial_margins(tables(), 0, notional, ISOLATED).tolist() == one_by_one


def test_brackets_that_give_parts_of_a_micro_usd_are_refused():
    rows = [(0, "0.004", 100), (0.000001, "0.0050001", 50)]
    with pytest.raises(ConfigError, match=r"margin\.brackets\.BTC: floor 1e-06 USD gives a deduc"):
        tables(rows)


@pytest.mark.parametrize("rate", [0, 1, 50_000_001, RATE_UNIT - 1, RATE_UNIT, 3 * RATE_UNIT + 7])
@pytest.mark.parametrize("amount", [0, 1, -7, RATE_UNIT - 1, RATE_UNIT, 7 * 10**15 + 13])
def test_a_share_is_rounded_as_named(amount, rate):
    assert share_of(amount, rate, CEIL) == -(-amount * rate // RATE_UNIT)
    assert share_of(amount, rate, FLOOR) == amount * rate // RATE_UNIT


@pytest.mark.parametrize("factor", [1.0, 1.25, 1.1])
@pytest.mark.parametrize("mode", [CROSS, ISOLATED])
def test_both_margins_at_once_are_those_apart_to_the_micro_usd(mode, factor):
    """Small notionals, where roundings are all there is, and both sides of every floor."""
    t = tables([(0, "0.004", 150), (300, "0.005", 70), (800, "0.0075", 3)], factor=factor)
    floors = [300 * USD, 800 * USD]
    for notional in (*range(400), *(floor + off for floor in floors for off in (-1, 0, 1, 2, 3))):
        least, initial = margins(t, 0, notional, mode)
        assert least == maintenance_margin(t, 0, notional)
        assert initial == initial_margin(t, 0, notional, mode)
        leverage = 150 if notional <= floors[0] else 70 if notional <= floors[1] else 3
        base = math.ceil(Fraction(-(-RATE_UNIT // leverage) * notional, RATE_UNIT))
        times = Fraction(str(factor)) if mode == ISOLATED else 1
        assert initial == math.ceil(base * times)
