"""Mechanic 14: top-up and withdrawal of isolated margin by hand.

The liquidation price of a linear isolated position is ``(E - s W / q) / (1 - s m)`` (Gate, OKX,
Bitget without fee), so margin W moves it by ``-s / (q (1 - s m))`` for each unit.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from stresslab.core.columns import LIMIT, MARKET, MOVE_MARGIN
from stresslab.core.events import ISOLATED
from stresslab.margin.liquidation_price.linear import fee_inside
from stresslab.traders.agents import agent_class
from stresslab.traders.trader import Order
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    market,
    model_of,
    people,
    rows,
    scripted,
    state,
    sums,
    tables_of,
)

UNIT = 10_000  # micro-USD of one tick and lot
RATE = Fraction(1, 20)


def move(micro_usd: int, asset: int = 0) -> Ask:
    """Return the first account's request to move margin into its silo."""
    return Ask(0, micro_usd, kind=MOVE_MARGIN, asset=asset)


def holder(script, *, side: int = 1, mode: str = "isolated", wealth: float = 500.0, **changes):
    """Return a market with 10 isolated lots, 100 USD behind them and 400 USD in the wallet."""
    scenario = market(
        {"one": {**people((wealth, {"BTC": 10 * side}), mode=mode), "free_wallet": 0.8},
         "rich": people((1e6, {"BTC": -10 * side}))},
        **changes,
    )  # fmt: skip
    return scripted(scenario, script)


def answers(tables):
    return rows(tables, "requests", "request", "amount_micro_usd", "answer")


def first_breach(model, side: int) -> int:
    """Return the first tick, away from the entry, at which the engine's own flag is up."""
    tick = TICKS
    while True:
        equity, maintenance, _ = state(model, 0, 1, marks=[tick])
        if equity < maintenance:
            return tick
        tick -= side


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("moved", [0, 100 * USD, 37 * USD + 5, 400 * USD])
def test_a_top_up_moves_the_liquidation_price_by_the_formula(side, moved):
    model = holder({2: [move(moved)]} if moved else {}, side=side)
    tables_of(model)
    margin = Fraction(100 * USD + moved, 10**6)
    price = fee_inside(side, Fraction(10), Fraction(100), margin, RATE) * 100  # in ticks
    unmoved = fee_inside(side, Fraction(10), Fraction(100), Fraction(100), RATE) * 100
    shift = -side * Fraction(moved, 10 * UNIT) / (1 - side * RATE)

    assert price == unmoved + shift
    beyond = math.ceil(price) - 1 if side > 0 else math.floor(price) + 1
    assert first_breach(model, side) == beyond
    assert state(model, 0)[0] == 400 * USD - moved


@pytest.mark.parametrize("side", [1, -1])
def test_a_withdrawal_moves_it_back(side):
    """50 USD go in and 20 come out: as if 30 had gone in."""
    there_and_back = holder({1: [move(50 * USD)], 2: [move(-20 * USD)]}, side=side)
    at_once = holder({1: [move(30 * USD)]}, side=side)
    found = [answers(tables_of(model)) for model in (there_and_back, at_once)]
    assert found[0] == [("add", 50 * USD, "taken"), ("withdraw", 20 * USD, "taken")]
    assert first_breach(there_and_back, side) == first_breach(at_once, side)
    assert state(there_and_back, 0, 1) == state(at_once, 0, 1)


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("price", [TICKS, TICKS + 500, TICKS - 300])
@pytest.mark.parametrize("side", [1, -1])
def test_a_withdrawal_keeps_initial_margin_to_the_micro_usd(side, price, beyond):
    """Of 200 USD and the profit at the mark everything may go but a tenth of the notional."""
    profit = 10 * side * (price - TICKS) * UNIT
    spare = 200 * USD + profit - 10 * price * UNIT // 10
    assert spare > 0
    model = holder({1: [move(100 * USD)], 3: [move(-spare - beyond)]}, side=side)
    model.world.index[2:] = price
    before = sums(model)
    tables = tables_of(model)

    answer = "initial_margin" if beyond else "taken"
    assert answers(tables)[1] == ("withdraw", spare + beyond, answer)
    left = spare if beyond else 0
    assert state(model, 0, 1)[0] == 10 * price * UNIT // 10 + left
    assert state(model, 0)[0] == 300 * USD + spare - left
    assert sums(model) == before


def test_with_less_than_initial_margin_nothing_may_go():
    model = holder({3: [move(-1)]})
    model.world.index[2:] = TICKS - 100
    assert answers(tables_of(model)) == [("withdraw", 1, "initial_margin")]


@pytest.mark.parametrize(("wanted", "answer"), [(400 * USD, "taken"), (400 * USD + 1, "wallet")])
def test_a_top_up_takes_at_most_the_wallet(wanted, answer):
    model = holder({2: [move(wanted)]})
    assert answers(tables_of(model)) == [("add", wanted, answer)]
    assert model.world.clearing.accounts.n_topups[0] == (answer == "taken")


@pytest.mark.parametrize(("wanted", "answer"), [(350 * USD, "taken"), (350 * USD + 1, "wallet")])
def test_a_top_up_leaves_what_open_orders_reserve(wanted, answer):
    """5 lots to buy would be allotted 50 USD."""
    script = {1: [Ask(0, 5, TICKS - 500, LIMIT)], 2: [move(wanted)]}
    tables = tables_of(holder(script, market__book=ORDER_BOOK))
    assert answers(tables) == [("add", wanted, answer)]


def test_a_top_up_leaves_the_initial_margin_of_cross_positions():
    """The second position is cross: its 100 USD stay in the wallet."""
    scenario = market(
        {"one": {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8},
         "rich": people((1e6, {"BTC": -10}))},
        assets=("BTC", "ETH"),
    )  # fmt: skip
    script = {2: [Ask(0, 10, kind=1, asset=1)], 3: [move(301 * USD)], 4: [move(299 * USD)]}
    model = scripted(scenario, script)
    model.world.clearing.accounts.chosen_mode[1, 0] = 2
    assert [answer for *_, answer in answers(tables_of(model))] == ["wallet", "taken"]


@pytest.mark.parametrize("asset", [0, 1])
def test_margin_moves_only_between_a_wallet_and_an_open_silo(asset):
    """Under cross there is no silo, and the second asset is not held."""
    model = holder({2: [move(USD, asset)], 3: [move(-USD, asset)]}, mode="cross",
                   assets=("BTC", "ETH"))  # fmt: skip
    assert [answer for *_, answer in answers(tables_of(model))] == ["not_isolated"] * 2


def test_a_breach_after_a_withdrawal_is_partly_its_doing():
    """In the step of the breach 80 USD leave and the price takes 90: both are written down.

    X = equity - maintenance: 200 - 50 before, 30 - 45.5 after; the price ate 90 less 4.5 of
    maintenance, the transfer 80.
    """
    model = holder({1: [move(100 * USD)], 3: [move(-80 * USD)]})
    model.world.index[3:] = TICKS - 900
    tables = tables_of(model)
    [(before, equity, maintenance)] = rows(
        tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
        "maintenance_micro_usd",
    )  # fmt: skip
    assert (before, equity, maintenance) == (150 * USD, 30 * USD, 45_500_000)
    amounts = dict(rows(tables, "breach_amounts", "cause", "amount_micro_usd"))
    assert amounts == {"price": 85_500_000, "transfer": 80 * USD}
    assert sum(amounts.values()) == before - (equity - maintenance)


def test_the_same_fall_without_the_withdrawal_liquidates_nobody():
    model = holder({1: [move(100 * USD)]})
    model.world.index[3:] = TICKS - 900
    assert rows(tables_of(model), "liquidations", "account") == []


def test_margin_moves_while_trading_is_halted():
    """A fall of 4 % halts the market: the top-up of step 3 is granted, the order beside it not."""
    breaker = {"move": 0.03, "window_seconds": 1.0, "halt_seconds": 9.0}
    model = holder({3: [move(50 * USD), Ask(0, -1, kind=MARKET)]},
                   market__circuit_breaker=breaker)  # fmt: skip
    model.world.index[2:] = TICKS - 400
    tables = tables_of(model)
    assert answers(tables) == [("add", 50 * USD, "taken")]
    assert state(model, 0, 1)[0] == (100 + 50 - 40) * USD
    assert rows(tables, "counts", "refused", "fills") == [(1, 0)]


def test_a_strategy_asks_through_its_trader():
    model = model_of(market({"one": people((500.0, {"BTC": 1}), mode="isolated"),
                             "rich": people((1e6, {"BTC": -1}))}))  # fmt: skip
    assert model.world.clearing.accounts.mode[0, 0] == ISOLATED
    group = model.world.crowd.groups[0]
    group.orders_per_turn = 1  # passive traders announce none
    trader = agent_class(group.strategy)(0, group, model)
    assert trader.move_margin(0, -5) == Order(0, MOVE_MARGIN, -5)
    trader.check([trader.move_margin(0, -5)])
