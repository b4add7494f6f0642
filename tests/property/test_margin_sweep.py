"""The margin sweep flags what plain integers flag, at the bar and one micro-USD beside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stresslab.core.columns import Accounts, make_accounts
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.rules import Bracket
from stresslab.margin.suspects import TILE
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, MarginTables, margin_tables
from tests.reference.plain_sweep import pool_of, short_pools

LARGEST_CASH = 2**60  # micro-USD


class Crowd(NamedTuple):
    """Drawn accounts and what judges them."""

    accounts: Accounts
    tables: MarginTables
    marks: np.ndarray
    level: int
    below: set[int]  # codes of pools put one micro-USD below their bar
    at: set[int]  # codes of pools put on it or just above


def drawn_tables(rng: np.random.Generator, n_assets: int) -> MarginTables:
    """Return 1 to 14 brackets an asset; floors are whole thousands of USD, as in venues' tables."""
    brackets = {}
    for asset in range(n_assets):
        n = int(rng.integers(1, 15))
        floors = np.cumsum(rng.integers(1, 10 ** int(rng.integers(1, 5)), n)) * 1000.0
        rates = np.sort(rng.choice(np.arange(1, 400), n, replace=False)) / 1000
        brackets[f"asset{asset}"] = tuple(
            Bracket(floor_usd=float(floor), maintenance_rate=float(rate), max_leverage=1.0)
            for floor, rate in zip([0.0, *floors[:-1]], rates, strict=True)
        )
    rules = MarginAndClosure(brackets=brackets)
    unit_value = 10 ** rng.integers(0, 5, n_assets)
    tables = margin_tables(rules, list(brackets), np.zeros(n_assets, np.int64), unit_value)
    tables.rate[:] += rng.integers(0, 50_000_000, (n_assets, 1))  # what a step adds to all rates
    return tables


def drawn_crowd(
    seed: int, n_accounts: int, n_assets: int, isolated_share: float, size: float, level: int
) -> Crowd:
    """Return accounts whose pools lie at their bar, a unit beside it, or anywhere.

    ``size`` is the decimal logarithm of a typical notional in micro-USD.
    """
    rng = np.random.default_rng(seed)
    tables = drawn_tables(rng, n_assets)
    marks = rng.integers(1, 100_000, n_assets)
    accounts = make_accounts(n_accounts, n_assets)
    shape = accounts.position.shape
    notional = np.minimum(10.0 ** rng.normal(size, 1.5, shape), 2.0**56)
    lots = np.ceil(notional / (marks * tables.unit_value)[:, None]).astype(np.int64)
    lots[rng.random(shape) < 0.4] = 0
    accounts.position[:] = np.where(rng.random(shape) < 0.5, lots, -lots)
    mode = np.where(rng.random(shape) < isolated_share, ISOLATED, CROSS)
    keeps = (lots != 0) | (rng.random(shape) < 0.1)  # a flat silo may owe
    accounts.mode[:] = np.where(keeps, mode, FLAT)
    below, at = set(), set()
    for pool in range(n_assets + 1):
        for n in range(n_accounts):
            if pool > 0 and accounts.mode[pool - 1, n] != ISOLATED:
                continue
            equity, need = pool_of(accounts, tables, marks.tolist(), pool, n)
            bar = -(-need * RATE_UNIT // level)
            off = int(rng.choice([-1, 0, 1, -need // 3, need // 3 + 5, 10 * need + 10**7]))
            cash = bar + off - equity
            if abs(cash) < LARGEST_CASH:
                accounts.cash[pool, n] = cash
                (below if off == -1 else at if 0 <= off <= 1 else set()).add(pool * n_accounts + n)
    return Crowd(accounts, tables, marks, level, below, at)


def found(crowd: Crowd) -> list[int]:
    """Return what the sweep flags."""
    out = np.empty(crowd.accounts.cash.size, np.int64)
    args = crowd.accounts, crowd.tables, crowd.marks, crowd.level, out
    return pools_short_of_margin(*args).tolist()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_accounts=st.integers(1, TILE + 30),
    n_assets=st.sampled_from([1, 2, 5]),
    isolated_share=st.sampled_from([0.0, 0.3, 1.0]),
    size=st.floats(3.0, 15.0),
    level=st.sampled_from([RATE_UNIT, RATE_UNIT * 4 // 5, RATE_UNIT // 3, RATE_UNIT // 1000]),
)
@example(1, 2 * TILE + 1, 3, 0.3, 10.0, RATE_UNIT)
@example(2, 30, 40, 0.5, 9.0, RATE_UNIT)  # silos that share a bit
@example(3, TILE, 5, 0.5, 6.0, RATE_UNIT // 1000)  # whole units are much, over the level
def test_the_sweep_flags_what_plain_integers_flag(
    seed, n_accounts, n_assets, isolated_share, size, level
):
    crowd = drawn_crowd(seed, n_accounts, n_assets, isolated_share, size, level)
    flagged = found(crowd)
    plain = short_pools(crowd.accounts, crowd.tables, crowd.marks.tolist(), level, n_accounts)
    assert flagged == plain
    assert crowd.below <= set(flagged), "one micro-USD below the bar is short"
    assert not crowd.at & set(flagged), "at the bar is not"


def test_the_crowds_lie_at_their_bars():
    crowd = drawn_crowd(5, 3 * TILE, 5, 0.5, 11.0, RATE_UNIT)
    assert len(crowd.below) > 100 and len(crowd.at) > 200
    assert any(code < crowd.accounts.id.size for code in crowd.below)
    assert any(code >= crowd.accounts.id.size for code in crowd.below)


@pytest.mark.parametrize("ticks", [1, 37, 20_000])
def test_a_mark_that_moves_flags_from_the_first_tick_at_which_integers_do(ticks):
    """Longs of one asset with cash for a fall by so many ticks: on it they stand, below not."""
    crowd = drawn_crowd(7, 300, 1, 1.0, 9.0, RATE_UNIT)
    accounts, unit = crowd.accounts, int(crowd.tables.unit_value[0])
    accounts.position[:] = np.abs(accounts.position)
    crowd.marks[:] = 60_000
    bar = [60_000 - ticks]
    for n in range(300):
        accounts.cash[:, n] = 0
        equity, need = pool_of(accounts, crowd.tables, bar, 1, n)
        accounts.cash[1, n] = need - equity
    held = [300 + n for n in range(300) if accounts.position[0, n] > 0]
    assert len(held) > 100 and unit > 0
    assert found(crowd._replace(marks=np.array(bar))) == []
    assert found(crowd._replace(marks=np.array([bar[0] - 1]))) == held
