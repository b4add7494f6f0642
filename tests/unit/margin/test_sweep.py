"""Levels that a pool has crossed, and short silos beside wallets that scenarios margin."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stresslab.core.columns import make_accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.sweep import is_short, levels_crossed, pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import USD
from tests.reference.plain_sweep import requirement
from tests.reference.scenario_venue import five_assets, some_rules

LEVELS = np.array([RATE_UNIT // 2, RATE_UNIT * 4 // 5])


@pytest.mark.parametrize("at_equality", [0, 1])
@pytest.mark.parametrize(
    ("equity", "crossed"),
    [
        (2001, 0),
        (2000, 0),
        (1999, 1),
        (1250, 1),
        (1249, 2),
        (1001, 2),
        (1000, 2),
        (999, 3),
        (-9, 3),
    ],
)
def test_a_breach_is_one_more_than_all_levels(equity, crossed, at_equality):
    """1,000 are needed: half of 2,000, four fifths of 1,250; at equality where a venue says so."""
    tables = five_assets(some_rules(random.Random(1)))
    tables.at_equality[0] = at_equality
    expected = 3 if at_equality and equity == 1000 else crossed
    assert levels_crossed(tables, equity, 1000, LEVELS) == expected
    assert is_short(tables, equity, 1000, RATE_UNIT) == (expected == 3)
    for k, level in enumerate(LEVELS.tolist()):
        assert is_short(tables, equity, 1000, level) == (expected > k)


@pytest.mark.parametrize("n_accounts", [1, 63, 64, 65, 200])
def test_beside_scenarios_silos_of_every_asset_are_found_by_their_own_bracket(n_accounts):
    """A micro-USD below what 5 % of the position asks, at it, or far above."""
    draw, tables = np.random.default_rng(n_accounts), five_assets(some_rules(random.Random(2)))
    accounts, marks = make_accounts(n_accounts, 5), np.array([1003, 57, 20_011, 9, 300])
    lots = draw.integers(-90, 91, (3, n_accounts))
    accounts.position[:3] = lots
    accounts.mode[:3] = np.where(draw.random(lots.shape) < 0.8, ISOLATED, CROSS)
    accounts.wallet[:] = 10**9 * USD
    expected = []
    for a in range(3):
        for n in range(n_accounts):
            if accounts.mode[a, n] != ISOLATED:
                continue
            value = int(lots[a, n]) * int(marks[a]) * int(tables.unit_value[a])
            off = int(draw.choice((-1, 0, USD)))
            accounts.cash[1 + a, n] = requirement(tables, a, abs(value)) - value + off
            if off < 0:
                expected.append((1 + a) * n_accounts + n)
    room = np.empty(accounts.cash.size, np.int64)
    found = pools_short_of_margin(accounts, tables, marks, RATE_UNIT, room).tolist()
    assert found == expected and (len(expected) > 20 or n_accounts == 1)
