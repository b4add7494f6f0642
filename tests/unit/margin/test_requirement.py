"""Add-ons and the sweep: whoever is short at the rates in force is found, at any add-on."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.pools import pool_states
from stresslab.margin.requirement.add_on import AddOn
from stresslab.margin.requirement.part import FollowingPart, Opening
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import lively, model_of

BRACKETS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0},
    {"floor_usd": 500.0, "maintenance_rate": 0.02, "max_leverage": 20.0},
    {"floor_usd": 1000.0, "maintenance_rate": 0.04, "max_leverage": 10.0},
    {"floor_usd": 2000.0, "maintenance_rate": 0.05, "max_leverage": 8.0},
    {"floor_usd": 4000.0, "maintenance_rate": 0.06, "max_leverage": 7.0},
    {"floor_usd": 6000.0, "maintenance_rate": 0.07, "max_leverage": 6.0},
    {"floor_usd": 9000.0, "maintenance_rate": 0.1, "max_leverage": 5.0},
]


@pytest.mark.parametrize("level", [RATE_UNIT, 800_000_000])
def test_the_sweep_finds_who_is_short_at_the_rates_in_force(level):
    model = model_of(lively(margin__brackets=dict.fromkeys(("BTC", "ETH"), BRACKETS)))
    c, marks = model.world.clearing, model.world.board.ticks
    base = c.tables.rate.copy()
    codes, out = np.arange(c.accounts.cash.size), np.empty(c.accounts.cash.size, np.int64)
    counts = []
    for add_on in (0, 1, 10**7, 10**8, 3 * 10**8, 9 * 10**8):
        c.tables.rate[:] = base + add_on
        found = pools_short_of_margin(c.accounts, c.tables, marks, level, out)
        equity, need, _ = pool_states(c.accounts, c.tables, marks, codes)
        short = [e < n or e * level // RATE_UNIT < n
                 for e, n in zip(equity.tolist(), need.tolist(), strict=True)]  # fmt: skip
        assert found.tolist() == np.flatnonzero(short).tolist()
        counts.append(found.size)
    assert counts[0] < 10 < counts[-2] < counts[-1]


@pytest.mark.parametrize(
    ("reading", "expected"),
    [(0.0, 0), (0.05, 0), (0.05000001, 20), (1e9, 3 * 10**8), (1e300, 3 * 10**8)],
)
def test_an_add_on_grows_above_its_level_up_to_its_cap(reading, expected):
    assert AddOn(multiple=2.0, above=0.05, cap=0.3).target(reading) == expected


def test_an_add_on_rounds_to_the_nearest_with_halves_to_even():
    """0.5e-9 and 2.5e-9 of the notional are 0 and 2; 1.5e-9 are 2."""
    rule = AddOn(multiple=2.0**-1)
    assert [rule.target(x * 1e-9) for x in (1, 3, 5)] == [0, 2, 2]


def test_a_part_without_a_meter_is_none():
    with pytest.raises(NotImplementedError):
        FollowingPart().running(Opening(1.0, [1], [0.0]))
