"""Mechanic 16: open orders reserve margin, what reduces risk is always taken, and orders go first.

Published example: Paradex, Cross Margin Requirement: short 1 BTC at 90,000 USD with 3 BTC of buy
and 2 BTC of sell orders at an initial margin of 2 % needs 5,400 USD.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from stresslab.core.columns import LIMIT
from stresslab.margin.acceptance import reserve
from stresslab.margin.initial_margin import margin_with_orders
from stresslab.validation.conformance import evaluate
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    accepted,
    changed,
    market,
    model_of,
    people,
    rows,
    scripted,
    tables_of,
    trade,
)

PARADEX = {"position": -1, "buy_orders": 3, "sell_orders": 2, "imf": 0.02, "mark": 90_000}
LEVERAGE_50 = [{"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]


def venue(wealth: float, **changes):
    """Return a model in which 1 BTC is 100 lots, initial margin 2 %, and BTC costs 90,000 USD."""
    asset = {"kind": "perpetual", "initial_price_usd": 90_000.0, "tick_size_usd": 1.0,
             "lot_size": 0.01}  # fmt: skip
    scenario = market({"one": people((wealth, {})), "rich": people((1e9, {}))},
                      margin__brackets__BTC=LEVERAGE_50, **changes)  # fmt: skip
    return model_of({**scenario, "assets": {"BTC": asset}})


def reserved(model, position: int, buys: int, sells: int) -> int:
    """Return what the engine holds back for a position and its open orders, micro-USD."""
    c = model.world.clearing
    c.accounts.position[0, 0] = position
    c.accounts.mode[0, 0] = 2 if position else 0
    return int(reserve(c.accounts, c.tables, model.world.board.ticks, 0, 0, buys, sells))


def test_the_published_reserve():
    position, buys, sells = (100 * PARADEX[k] for k in ("position", "buy_orders", "sell_orders"))
    found = Fraction(reserved(venue(1e4), position, buys, sells), USD)
    assert found == 5400 == pytest.approx(evaluate("margin.imr_open_orders", PARADEX)["imr"])


def test_the_engine_reserves_what_the_published_rule_says():
    """On random books of orders, in whole micro-USD rounded up."""
    model, draw = venue(1e4), random.Random(16)
    seen = set()
    for _ in range(300):
        z, buys, sells = draw.randint(-300, 300), draw.randint(0, 400), draw.randint(0, 400)
        rule = margin_with_orders(Fraction(z, 100), Fraction(buys, 100), Fraction(sells, 100),
                                  rate=Fraction(1, 50), mark=90_000)  # fmt: skip
        assert reserved(model, z, buys, sells) == -(-rule * USD // 1), (z, buys, sells)
        seen.add((z > 0, buys > sells))
    assert len(seen) == 4


@pytest.mark.parametrize(("spare", "taken"), [(0, 1), (-1, 0)])
@pytest.mark.parametrize("side", [1, -1])
def test_an_order_is_taken_to_the_last_micro_usd_of_the_worst_position(side, spare, taken):
    """Long or short 1 BTC with 2 BTC resting on its side: one more needs 4 · 1,800 USD."""
    model = venue(4 * 1800.0)
    trade(model, *((0, 1) if side > 0 else (1, 0)), 100, price=90_000)
    model.world.clearing.accounts.wallet[0] += spare
    assert accepted(model, 0, side * 100, resting={0: side * 200}) == side * 100 * taken


def test_orders_on_the_other_side_are_free_up_to_the_worst_position():
    """Long 1 with buys of 2: sells of 4 make at worst a short of 3, as large; 4.01 do not."""
    model = venue(3 * 1800.0)
    trade(model, 0, 1, 100, price=90_000)
    assert accepted(model, 0, -400, resting={0: 200}) == -400
    assert accepted(model, 0, -401, resting={0: 200}) == 0


@pytest.mark.parametrize("side", [1, -1])
def test_what_reduces_risk_is_taken_however_deep_the_pool_is_under_water(side):
    model = venue(2000.0)
    trade(model, *((0, 1) if side > 0 else (1, 0)), 100, price=90_000)
    model.world.clearing.accounts.wallet[0] -= 10**6 * USD
    assert accepted(model, 0, side) == 0, "one lot more is refused"
    assert accepted(model, 0, -side) == -side
    assert accepted(model, 0, -side * 100) == -side * 100
    assert accepted(model, 0, -side * 101) == 0, "and one beyond flat"
    assert accepted(model, 0, -side * 60, resting={0: -side * 40}) == -side * 60
    assert accepted(model, 0, -side * 61, resting={0: -side * 40}) == 0
    assert accepted(model, 0, -side * 500, reduce_only=1) == -side * 100


def in_distress(mode: str, side: int = 1):
    """Return a scripted market: who is to be liquidated rests orders in both assets first."""
    wealth, free = (1000.0, 0.9) if mode == "isolated" else (160.0, 0.0)
    scenario = market(
        {"one": {**people((wealth, {"BTC": 10 * side}), mode=mode), "free_wallet": free},
         "rich": people((1e6, {"BTC": -10 * side}))},
        assets=("BTC", "ETH"), market__book=ORDER_BOOK, liquidation__feedback="market",
    )  # fmt: skip
    away = TICKS // 2
    script = {
        1: [Ask(0, 1, away, LIMIT), Ask(0, -2, TICKS + away, LIMIT),
            Ask(0, 3, away, LIMIT, asset=1)],
        2: [Ask(1, 20, TICKS, LIMIT), Ask(1, -20, TICKS + 1, LIMIT)],
    }  # fmt: skip
    return changed(scenario, market__mark={"rule": "index"}), script


@pytest.mark.parametrize(("mode", "gone"), [("isolated", 2), ("cross", 3)])
@pytest.mark.parametrize("side", [1, -1])
def test_orders_of_the_pool_are_cancelled_before_it_is_closed(mode, gone, side):
    """A silo loses the orders of its asset, a cross pool those of the whole account."""
    scenario, script = in_distress(mode, side)
    model = scripted(scenario, script)
    model.world.index[3:] = (TICKS - side * (900 if mode == "isolated" else 1400), TICKS)
    tables = tables_of(model)
    books = model.world.floor.books

    assert rows(tables, "liquidations", "account", "mode") == [(0, mode)]
    assert rows(tables, "counts", "cancelled") == [(gone,)]
    left = books.resting_buy[:, 0].tolist(), books.resting_sell[:, 0].tolist()
    assert left == ([0, 3 if mode == "isolated" else 0], [0, 0])
    assert abs(tables["forced_orders"]["filled_lots"]).sum() > 0


def test_nothing_is_cancelled_while_the_pool_stands():
    scenario, script = in_distress("isolated")
    model = scripted(scenario, script)
    tables = tables_of(model)
    assert rows(tables, "counts", "orders", "cancelled") == [(5, 0)]
    assert rows(tables, "liquidations", "account") == []
