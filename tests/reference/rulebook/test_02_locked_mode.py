"""Mechanic 2: a position keeps its margin mode from entry to flat; same-side adds keep it."""

from __future__ import annotations

import pytest

from stresslab.core.columns import CANCEL_ALL, LIMIT, SET_MODE
from stresslab.core.errors import StresslabError
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.traders.agents import agent_class
from stresslab.traders.trader import Order
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    asset,
    buy_at_market,
    market,
    model_of,
    people,
    rows,
    scripted,
    tables_of,
    trade,
)

MODES = {ISOLATED: "isolated", CROSS: "cross"}
OTHER = {ISOLATED: CROSS, CROSS: ISOLATED}


def switch(mode: int, asset: int = 0) -> Ask:
    """Return the first account's request for a margin mode."""
    return Ask(0, mode, kind=SET_MODE, asset=asset)


def lone(mode: int, script, **changes):
    scenario = market(
        {"one": people((1000.0, {}), mode=MODES[mode]), "rich": people((1e6, {}))},
        duration_seconds=9.0, **changes,
    )  # fmt: skip
    return scripted(scenario, script)


def asked(tables):
    return rows(tables, "requests", "step", "account", "request", "answer")


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("mode", [ISOLATED, CROSS])
def test_the_mode_is_locked_from_entry_until_flat(mode, side):
    other = OTHER[mode]
    script = {
        1: [buy_at_market(0, 4 * side)],
        2: [switch(other)],
        3: [buy_at_market(0, 2 * side)],  # a same-side add
        4: [switch(other), buy_at_market(0, -5 * side)],  # one lot is left
        5: [switch(other)],
        6: [buy_at_market(0, -side)],  # flat
        7: [switch(other)],
        8: [buy_at_market(0, side)],
    }
    model = lone(mode, script)
    accounts, seen = model.world.clearing.accounts, []
    for _ in range(9):
        model.step()
        seen.append((int(accounts.position[0, 0]), int(accounts.mode[0, 0])))
    model.recording.finish()
    tables = {"requests": model.log.columns("requests")}

    held = [4, 4, 6, 1, 1, 0, 0, 1, 1]
    modes = [mode] * 5 + [FLAT] * 2 + [other] * 2
    assert seen == [(side * lots, m) for lots, m in zip(held, modes, strict=True)]
    assert asked(tables) == [
        (2, 0, MODES[other], "position_open"),
        (4, 0, MODES[other], "position_open"),
        (5, 0, MODES[other], "position_open"),
        (7, 0, MODES[other], "taken"),
    ]


@pytest.mark.parametrize("refused", [True, False])
def test_a_same_side_add_is_allotted_to_the_silo_that_is_there(refused):
    """With or without a refused switch in between: 4 and 2 lots at 10x are 60 USD of margin."""
    ask = {2: [switch(CROSS)]} if refused else {}
    model = lone(ISOLATED, {1: [buy_at_market(0, 4)], 3: [buy_at_market(0, 2)], **ask})
    tables = tables_of(model)
    accounts = model.world.clearing.accounts
    assert len(asked(tables)) == refused
    assert accounts.silo[0, 0] + accounts.entry_cost[0, 0] == pytest.approx(60 * USD, abs=2)
    assert accounts.wallet[0] == pytest.approx(940 * USD, abs=2)


@pytest.mark.parametrize("mode", [ISOLATED, CROSS])
def test_whoever_has_come_to_prefer_the_other_mode_adds_in_the_locked_one(mode):
    model = lone(mode, {1: [buy_at_market(0, 4)], 3: [buy_at_market(0, 2)]})
    accounts = model.world.clearing.accounts
    model.step()
    accounts.chosen_mode[0, 0] = OTHER[mode]
    for _ in range(3):
        model.step()
    assert (accounts.position[0, 0], accounts.mode[0, 0]) == (6, mode)


def test_a_position_turned_in_one_order_keeps_its_mode():
    """From 4 long to 3 short in one fill: nothing could be switched while it was open."""
    model = lone(ISOLATED, {1: [buy_at_market(0, 4)], 2: [switch(CROSS)],
                            3: [buy_at_market(0, -7)]})  # fmt: skip
    tables = tables_of(model)
    accounts = model.world.clearing.accounts
    assert [answer for *_, answer in asked(tables)] == ["position_open"]
    assert (accounts.position[0, 0], accounts.mode[0, 0]) == (-3, ISOLATED)


def test_open_orders_lock_the_mode_too():
    """An order that rests would open a position: the switch waits until it is withdrawn."""
    script = {
        1: [Ask(0, 2, TICKS - 10, LIMIT)],
        2: [switch(CROSS)],
        3: [switch(ISOLATED)],  # what it is anyway
        4: [Ask(0, 0, kind=CANCEL_ALL)],
        5: [switch(CROSS)],
    }
    tables = tables_of(lone(ISOLATED, script, market__book=ORDER_BOOK))
    assert asked(tables) == [
        (2, 0, "cross", "orders_open"),
        (3, 0, "isolated", "taken"),
        (5, 0, "cross", "taken"),
    ]


def test_asking_for_the_mode_that_is_locked_is_no_switch():
    tables = tables_of(lone(ISOLATED, {1: [buy_at_market(0, 1)], 2: [switch(ISOLATED)]}))
    assert asked(tables) == [(2, 0, "isolated", "taken")]


def test_spot_is_always_in_the_cross_pool():
    scenario = market({"one": people((1000.0, {})), "rich": people((1e6, {}))})
    scenario["assets"] = {"BTC": asset(), "GOLD": asset("spot")}
    tables = tables_of(scripted(scenario, {1: [switch(ISOLATED, asset=1)]}))
    assert asked(tables) == [(1, 0, "isolated", "spot")]


def test_each_position_of_an_account_is_locked_by_itself():
    model = lone(CROSS, {1: [buy_at_market(0, 1)], 2: [switch(ISOLATED), switch(ISOLATED, 1)],
                         3: [buy_at_market(0, 1, asset=1)]}, assets=("BTC", "ETH"))  # fmt: skip
    answers = [answer for *_, answer in asked(tables_of(model))]
    assert answers == ["position_open", "taken"]
    assert model.world.clearing.accounts.mode[:, 0].tolist() == [CROSS, ISOLATED]


def test_a_liquidation_that_leaves_it_flat_unlocks_it():
    model = lone(ISOLATED, {1: [buy_at_market(0, 10)], 5: [switch(CROSS)]})
    model.world.index[3:] = TICKS - 600
    tables = tables_of(model)
    assert rows(tables, "liquidations", "account", "outcome") == [(0, "closed")]
    assert asked(tables) == [(5, 0, "cross", "taken")]


def test_a_strategy_asks_through_its_trader():
    model = model_of(market({"one": people((1000.0, {}), mode="isolated"),
                             "rich": people((1e6, {}))}))  # fmt: skip
    trade(model, 0, 1, 1)
    group = model.world.crowd.groups[0]
    group.orders_per_turn = 1  # passive traders announce none
    trader = agent_class(group.strategy)(0, group, model)
    wish = trader.set_mode(0, "cross")
    assert wish == Order(0, SET_MODE, CROSS)
    trader.check([wish])
    with pytest.raises(StresslabError, match="cannot be sent"):
        trader.check([trader.set_mode(0, "flat")])
    with pytest.raises(StresslabError, match="cannot be sent"):
        trader.check([Order(0, SET_MODE, 3)])
