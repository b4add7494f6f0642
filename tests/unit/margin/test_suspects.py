"""The look in floats: nobody who is short escapes it, and it holds back hardly anybody else."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import Accounts, make_accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.rules import Bracket
from stresslab.margin.suspects import (
    LINES,
    OWN,
    TILE,
    room_to_look,
    set_lines,
    suspects_of_tile,
)
from stresslab.margin.tiers import RATE_UNIT, MarginTables, margin_tables
from tests.markets import USD
from tests.reference.plain_sweep import requirement

LEAN = 1e-5  # of value: more than the look leans against a pool of one position


def tables(n_brackets: int, n_assets: int = 1) -> MarginTables:
    """Return brackets that triple from 1,000 USD, at 1 %, 2 %, 3 % ... in every asset."""
    rows = tuple(
        Bracket(
            floor_usd=0.0 if k == 0 else 1000.0 * 3 ** (k - 1),
            maintenance_rate=round(0.01 * (k + 1), 2), max_leverage=1.0,
        )
        for k in range(n_brackets)
    )  # fmt: skip
    names = [f"asset{a}" for a in range(n_assets)]
    rules = MarginAndClosure(brackets=dict.fromkeys(names, rows))
    return margin_tables(rules, names, np.zeros(n_assets, np.int64), np.ones(n_assets, np.int64))


def lines_of(needs: MarginTables, level: int = RATE_UNIT) -> np.ndarray:
    """Return slope and offset of the first asset's lines, (LINES, 2)."""
    look = room_to_look(1 + needs.rate.shape[0])
    set_lines(needs, level, look.lines)
    return look.lines[0].astype(float)


def asked(lines: np.ndarray, notional: int) -> float:
    """Return what the highest line asks of a notional, micro-USD."""
    return float((lines[:, 0] * notional - lines[:, 1]).max())


# -- lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_brackets", range(1, 15))
@pytest.mark.parametrize("level", [RATE_UNIT, RATE_UNIT * 4 // 5])
def test_lines_are_above_what_is_required_and_fit_the_lowest_brackets(n_brackets, level):
    needs = tables(n_brackets)
    lines, over = lines_of(needs, level), RATE_UNIT / level
    fitted = n_brackets if n_brackets <= LINES else OWN
    floors = [*needs.floor[0, : needs.n_lines[0]].tolist(), 10**18]
    for k in range(n_brackets):
        for notional in np.linspace(floors[k] + 1, floors[k + 1], 4).astype(np.int64).tolist():
            need = requirement(needs, 0, notional) * over
            found = asked(lines, notional)
            assert need < found, "the look leans against the pool"
            if k < fitted:
                assert found < need + LEAN * notional + 4
            else:
                assert found < 1.4 * need


def test_the_lean_is_that_of_roundings():
    """16 roundings of value and requirement, 4 more by position; 2 micro-USD are rounded up."""
    for n_assets in (1, 5):
        needs = tables(1, n_assets)
        (slope, offset), *_ = lines_of(needs, RATE_UNIT // 2)
        lift = (16 + 4 * n_assets) * 2.0**-24 * (1 + 2 * 0.01)
        assert slope == pytest.approx(2 * 0.01 + lift, rel=2.0**-23)
        assert offset == -2 * 2, "over the level, half of the equity"


@pytest.mark.parametrize("n_brackets", range(7, 20))
def test_beyond_their_own_the_lines_share_the_brackets_evenly(n_brackets):
    """Each goes through what is required at both ends; the last rises as the last bracket does."""
    needs = tables(n_brackets)
    lines, floors = lines_of(needs), needs.floor[0].tolist()
    first = []
    for slope, offset in lines:
        apart = [slope * floor - offset - requirement(needs, 0, floor) for floor in floors]
        near = [abs(gap) <= LEAN * floor + 4 for gap, floor in zip(apart, floors, strict=True)]
        first.append(near.index(True))
        last_near = n_brackets - 1 - near[::-1].index(True)
        ends = {first[-1], last_near}
        assert [k for k, is_near in enumerate(near) if is_near] == sorted(ends)
    assert first[: OWN + 1] == list(range(OWN + 1)) and first == sorted(set(first))
    widths = np.diff([*first[OWN:], n_brackets])
    assert widths.max() - widths.min() <= 1
    assert lines[-1, 0] == pytest.approx(needs.rate[0, -1] / RATE_UNIT, abs=LEAN)


# -- tiles -----------------------------------------------------------------------------------------


def crowd(n_accounts: int, n_assets: int = 1) -> tuple[Accounts, MarginTables]:
    """Return accounts of 100 USD without positions; brackets at 1 % of a notional in micro-USD."""
    accounts = make_accounts(n_accounts, n_assets)
    accounts.wallet[:] = 100 * USD
    return accounts, tables(1, n_assets)


def suspects(accounts: Accounts, needs: MarginTables, first=0, times=1.0, look=None) -> list:
    """Return (pool, account) of those of a tile that seem short, at 1 micro-USD a lot."""
    look = room_to_look(accounts.cash.shape[0]) if look is None else look
    set_lines(needs, RATE_UNIT, look.lines)
    marks = np.ones(accounts.position.shape[0], np.int64)
    total = suspects_of_tile(accounts, needs, marks, look, np.float32(times), first)
    return [(code // TILE, first + code % TILE) for code in look.suspects[:total].tolist()]


def hold(accounts: Accounts, n: int, asset: int, usd: float, *, silo: float | None = None) -> None:
    """Let an account hold so many USD of an asset, bought with its pool's cash."""
    accounts.position[asset, n] = round(usd * USD)
    accounts.mode[asset, n] = CROSS if silo is None else ISOLATED
    accounts.cash[0 if silo is None else 1 + asset, n] += round(((silo or 0.0) - usd) * USD)


@pytest.mark.parametrize("side", [1, -1])
def test_whoever_is_short_in_a_tile_is_named_by_accounts_and_pools(side):
    """9,990 USD need 99.90 of the wallet's 100, 200 USD need 2 of the silo's 2.001."""
    accounts, needs = crowd(2 * TILE, 3)
    for n in range(2 * TILE):
        hold(accounts, n, 0, side * 9990.0)
        hold(accounts, n, 2, side * 200.0, silo=2.001)
    assert suspects(accounts, needs) == suspects(accounts, needs, TILE) == []
    for n in (0, 63, 64, 127, 128, 255):
        accounts.wallet[n] -= USD
    for n in (1, 64, 254):
        accounts.cash[3, n] -= USD // 100
    assert suspects(accounts, needs) == [(0, 0), (3, 1), (0, 63), (0, 64), (3, 64), (0, 127)]
    assert suspects(accounts, needs, TILE) == [(0, 128), (3, 254), (0, 255)]


def test_a_look_remembers_nothing_of_the_tile_before():
    """The second tile has one account, which is short of nothing."""
    accounts, needs = crowd(TILE + 1, 1)
    for n in range(TILE):
        hold(accounts, n, 0, 20_000.0, silo=100.0 if n % 2 else None)
    look = room_to_look(2)
    found = suspects(accounts, needs, look=look)
    assert found == [(n % 2, n) for n in range(TILE)]
    assert suspects(accounts, needs, TILE, look=look) == []
    accounts.wallet[TILE] = -1
    assert suspects(accounts, needs, TILE, look=look) == [(0, TILE)], "it owes"


def test_a_flat_wallet_without_money_is_short_of_nothing():
    accounts, needs = crowd(3)
    accounts.wallet[:] = (0, 1, -1)
    assert suspects(accounts, needs) == [(0, 2)]


def test_isolated_positions_need_so_many_times_as_much():
    """1 % of 1,000 USD is 10, times 1.25 is 12.5; the wallet's need is as it was."""
    accounts, needs = crowd(4, 2)
    for n, silo in enumerate((10.1, 12.4, 12.6)):
        hold(accounts, n, 1, 1000.0, silo=silo)
    hold(accounts, 3, 0, 9900.0)
    assert suspects(accounts, needs) == []
    assert suspects(accounts, needs, times=1.25) == [(2, 0), (2, 1)]


def test_a_silo_does_not_burden_the_wallet_nor_the_wallet_a_silo():
    accounts, needs = crowd(3, 2)
    hold(accounts, 0, 0, 1e6, silo=-5.0)
    hold(accounts, 1, 0, 1e6)
    hold(accounts, 1, 1, 1000.0, silo=11.0)
    hold(accounts, 2, 1, 1000.0, silo=11.0)
    assert suspects(accounts, needs) == [(1, 0), (0, 1)]


def test_positions_that_share_a_bit_are_suspected_together():
    """Of 40 assets the 4th and the 35th share one of 31 bits."""
    accounts, needs = crowd(2, 40)
    for asset in (3, 34, 5):
        hold(accounts, 0, asset, 1000.0, silo=11.0)
    assert suspects(accounts, needs) == []
    accounts.cash[1 + 34, 0] -= 2 * USD
    assert suspects(accounts, needs) == [(4, 0), (35, 0)]
    accounts.cash[1 + 5, 0] -= 2 * USD
    assert suspects(accounts, needs) == [(4, 0), (35, 0), (6, 0), (37, 0)]


def test_whoever_has_a_thousandth_more_than_it_needs_is_let_go_at_once():
    """1,000 random pools in two assets, longs and shorts, at 0.999 or 1.001 of the need."""
    draw = np.random.default_rng(3)
    accounts, needs = crowd(500, 2)
    expected = []
    for pool in (0, 2):
        for n in range(500):
            usd = float(np.rint(10 ** draw.uniform(1, 5))) * int(draw.choice((-1, 1)))
            is_short = bool(draw.random() < 0.5)
            accounts.cash[pool, n] = 0
            need = abs(usd) * 0.01
            hold(accounts, n, max(0, pool - 1), usd, silo=None if pool == 0 else 0.0)
            accounts.cash[pool, n] += round(need * (0.999 if is_short else 1.001) * USD)
            if is_short:
                expected.append((pool, n))
    found = [pair for first in range(0, 500, TILE) for pair in suspects(accounts, needs, first)]
    assert 400 < len(expected) < 600
    assert sorted(found) == expected


@pytest.mark.parametrize("n_brackets", range(1, 13))
@pytest.mark.parametrize("side", [1, -1])
def test_in_every_bracket_whoever_is_short_is_suspected_and_whoever_is_not_is_let_go(
    n_brackets, side
):
    """A wallet and a silo a thousandth below their need, and a thousandth above it.

    Where brackets share lines, those with half as much again as they need are let go.
    """
    accounts, _ = crowd(TILE, 2)
    needs, below = tables(n_brackets, 2), []
    spare = 0.001 if n_brackets <= LINES else 0.5
    accounts.cash[:] = 0
    floors = [*needs.floor[0, : needs.n_lines[0]].tolist(), 3 * int(needs.floor[0].max()) + USD]
    for n in range(4 * n_brackets):
        k, is_silo, is_short = n // 4, n % 2, n % 4 < 2
        notional = (floors[k] + floors[k + 1]) // 2
        hold(accounts, n, is_silo, side * notional / USD, silo=0.0 if is_silo else None)
        need = requirement(needs, 0, notional)
        accounts.cash[2 * is_silo, n] += int(need * (0.999 if is_short else 1 + spare))
        if is_short:
            below.append((2 * is_silo, n))
    assert suspects(accounts, needs) == below and len(below) == 2 * n_brackets
