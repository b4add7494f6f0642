"""6. Isolated: the whole position at market; the residue returns, a deficit goes to the waterfall.

Every other position of the account, and its wallet but for the residue, stays as it is to the bit.
"""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import LIMIT
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    market,
    people,
    rows,
    scripted,
    tables_of,
)

every_side = pytest.mark.parametrize("side", [1, -1])
THREE = ("BTC", "ETH", "SOL")


def account(side, free=0.5, **changes):
    """Return an account with three silos of 10 lots and 10x, and as much again in its wallet."""
    held = {"BTC": 10 * side, "ETH": -10 * side, "SOL": 10 * side}
    return market(
        {
            "one": {**people((300.0 / (1 - free), held), mode="isolated"), "free_wallet": free},
            "rich": people((1e6, {a: -q for a, q in held.items()}), (1e6, {"BTC": 0})),
        },
        assets=THREE,
        **{
            "market__book": ORDER_BOOK, "liquidation__feedback": "market",
            "margin__isolated__penalty_rate": 0.01, **changes,
        },
    )  # fmt: skip


def crash(scenario, price, quotes=()):
    """Play a market in which BTC alone jumps in step 2; return the model, its state before, log."""
    model = scripted(scenario, {1: [Ask(2, lots, ticks, LIMIT) for lots, ticks in quotes]})
    model.world.index[2:, 0] = price
    accounts = model.world.clearing.accounts
    before = {name: getattr(accounts, name).copy() for name in FIELDS}
    return model, before, tables_of(model)


FIELDS = ("cash", "position", "mode", "entry_cost", "profit_cut")


def refuse_change(model, before, row=0):
    """Compare every column of the account's other positions, bit by bit."""
    accounts = model.world.clearing.accounts
    for name in FIELDS:
        now, then = getattr(accounts, name), before[name]
        others = slice(2, None) if name == "cash" else slice(1, None)
        assert now.dtype == then.dtype
        assert now[others, row].tobytes() == then[others, row].tobytes(), name


@every_side
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_silo_is_closed_when_its_equity_is_below_maintenance_by_a_unit(side, off):
    """100 USD for 10 lots; maintenance is 5 % of notional, so the breach is a unit of cash away."""
    model = scripted(account(side), {1: [Ask(2, 10 * side, TICKS - 650 * side, LIMIT)]})
    price = TICKS - 600 * side
    accounts = model.world.clearing.accounts
    maintenance = 10 * price * 10_000 // 20
    equity = accounts.cash[1, 0] + 10 * side * price * 10_000
    shift = equity - maintenance - off
    accounts.cash[1, 0] -= shift
    accounts.cash[0, 1] += shift  # somebody else's: nothing comes or goes
    model.world.index[2:, 0] = price
    tables = tables_of(model)
    assert len(tables["liquidations"]["step"]) == int(off < 0)
    assert (accounts.position[0, 0] == 0) == (off < 0)


@every_side
@pytest.mark.parametrize("fill", [500, 900, 905, 920, 999, 1000])
def test_the_residue_returns_to_the_wallet_and_nothing_else_moves(side, fill):
    """The fill is ``fill`` ticks from the entry: 100 USD less ten times that, less 1 % of it."""
    at = TICKS - side * fill
    model, before, tables = crash(account(side), TICKS - side * 600, [(10 * side, at)])
    ((filled, paid),) = rows(tables, "forced_orders", "filled_lots", "penalty_micro_usd")
    left = 100 * USD - 10 * fill * 10_000
    full = 10 * at * 10_000 // 100
    assert filled == -10 * side and paid == min(left, full)
    accounts = model.world.clearing.accounts
    assert accounts.cash[0, 0] == before["cash"][0, 0] + left - paid
    assert accounts.cash[1, 0] == accounts.position[0, 0] == accounts.mode[0, 0] == 0
    refuse_change(model, before)
    assert len(tables["waterfall"]["step"]) == 0


@every_side
@pytest.mark.parametrize("fund", [0.0, 12.34, 1e6])
def test_a_deficit_goes_to_the_waterfall_and_not_to_the_wallet(side, fund):
    """Filled 15 USD from the entry, 10 lots miss 50 USD; the wallet holds 300 and pays none."""
    quotes = [(10 * side, TICKS - side * 1500)]
    scenario = account(side, liquidation__insurance_fund_usd=fund)
    model, before, tables = crash(scenario, TICKS - side * 600, quotes)
    names = ("asset", "deficit_micro_usd", "fund_micro_usd")
    assert rows(tables, "waterfall", *names) == [(0, 50 * USD, min(50 * USD, round(fund * USD)))]
    assert model.world.clearing.accounts.cash[0, 0] == before["cash"][0, 0] >= 299 * USD
    refuse_change(model, before)
    assert tables["liquidations"]["outcome"].tolist() == ["bankrupt"]


@every_side
def test_what_the_book_does_not_take_stays_in_the_silo_and_is_ordered_again(side):
    """3 lots in step 2, 5 in step 3, 2 in step 4; the silo alone bears it."""
    price = TICKS - side * 950
    script = {
        1: [Ask(2, 3 * side, price, LIMIT)],
        3: [Ask(2, 5 * side, price, LIMIT)],
        4: [Ask(2, 9 * side, price, LIMIT)],
    }
    model = scripted(account(side, duration_seconds=6.0), script)
    model.world.index[2:, 0] = price
    accounts = model.world.clearing.accounts
    before = {name: getattr(accounts, name).copy() for name in FIELDS}
    tables = tables_of(model)
    found = rows(tables, "forced_orders", "step", "lots", "filled_lots")
    filled = [(step, lots * side, done * side) for step, lots, done in found if done]
    assert filled == [(2, -10, -3), (3, -7, -5), (4, -2, -2)]
    refuse_change(model, before)
    assert accounts.position[0, 0] == 0 and accounts.mode[0, 0] == 0


@pytest.mark.parametrize("feedback", ["market", "slipped", "no_feedback"])
def test_all_silos_but_the_breached_one_are_untouched_in_a_crowd(feedback):
    """Fifty accounts of three silos; BTC falls by half, and nobody's ETH or SOL moves a bit."""
    draws = np.random.default_rng(0)
    held = [dict(zip(THREE, draws.integers(1, 9, 3).tolist(), strict=True)) for _ in range(50)]
    total = {a: -sum(lots[a] for lots in held) for a in THREE}
    scenario = market(
        {
            "crowd": people(*[(sum(h.values()) * 15.0, h) for h in held], mode="isolated"),
            "rich": people((1e7, total)),
        },
        assets=THREE,
        market__book={"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e6}},
        liquidation__feedback=feedback,
    )
    model, before, tables = crash(scenario, 5000)
    assert len(tables["forced_orders"]["lots"]) >= 50 and len(tables["waterfall"]["step"]) >= 50
    assert set(tables["forced_orders"]["asset"].tolist()) == {0}
    for row in range(50):
        refuse_change(model, before, row)
