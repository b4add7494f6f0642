"""The look at wallets that scenarios margin: it holds back the short and hardly anybody else."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stresslab.core.columns import make_accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.pools import pool_states
from stresslab.margin.portfolio import screen
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import USD
from tests.reference.scenario_venue import five_assets, some_rules

N_ACCOUNTS = screen.TILE + 40


def near_short(accounts, tables, marks, level=RATE_UNIT) -> list[int]:
    """Return the rows that the look does not let go."""
    tile = np.zeros((screen.N_COLUMNS, screen.TILE))
    out = np.empty(accounts.id.size, np.int64)
    total = screen.wallets_near_short(accounts, tables, marks, level, tile, out)
    return out[:total].tolist()


@pytest.mark.parametrize("case", range(24))
def test_wallets_a_thousandth_above_their_need_are_let_go_and_those_below_are_not(case):
    """Random books of up to five assets under random grids, some positions isolated."""
    rng, draw = random.Random(case), np.random.default_rng(case)
    tables = five_assets(some_rules(rng, floors=case % 2 == 1))
    level = rng.choice((RATE_UNIT, RATE_UNIT * 4 // 5))
    marks = draw.integers(1000, 50_000, 5)
    accounts = make_accounts(N_ACCOUNTS, 5)
    sizes = 10 ** draw.uniform(2, 5, accounts.position.shape)
    lots = np.rint(sizes * USD / (marks * tables.unit_value)[:, None]).astype(np.int64)
    sides = draw.choice((-1, 0, 1), lots.shape)
    sides[3:] = np.abs(sides[3:])  # no spot is owed
    accounts.position[:] = lots * sides
    accounts.mode[:] = np.where(sides == 0, 0, np.where(draw.random(lots.shape) < 0.2, 1, 2))
    accounts.mode[3:] = np.where(sides[3:] == 0, 0, CROSS)
    assert np.count_nonzero(accounts.mode == ISOLATED) > 20
    rows = np.arange(N_ACCOUNTS)
    value, need, gross = pool_states(accounts, tables, marks, rows)
    is_short = draw.random(N_ACCOUNTS) < 0.5
    off = np.where(is_short, -1e-3, 1e-3) * (need + USD)
    accounts.wallet[:] = np.rint((need + off) * (RATE_UNIT / level)).astype(np.int64) - value
    assert np.count_nonzero(need) > N_ACCOUNTS // 2 and gross.max() > 10**10
    assert near_short(accounts, tables, marks, level) == rows[is_short].tolist()


def test_the_band_is_of_roundings_to_the_micro_usd():
    """A lot of 100 USD with 2 in the wallet beyond what is asked: 0.002 USD a leg are doubted."""
    tables = five_assets(PortfolioRules(perpetual_addition=0.0, floor_of_net=0.0))
    accounts = make_accounts(4, 5)
    accounts.position[0], accounts.mode[0] = 100, CROSS
    marks = np.full(5, 100_000)  # of 1 USD a lot
    _, need, _ = pool_states(accounts, tables, marks, np.arange(4))
    accounts.wallet[:] = need - 100 * USD + np.array([-1, 0, 900, 1200])
    assert need[0] > USD
    assert near_short(accounts, tables, marks) == [0, 1, 2]


def test_a_flat_wallet_that_owes_is_short_and_one_that_owes_nothing_is_not():
    accounts = make_accounts(3, 5)
    accounts.wallet[:] = (0, -1, 1)
    assert near_short(accounts, five_assets(PortfolioRules()), np.ones(5, np.int64)) == [1]
