"""The floor of impact books: what fills, who owns the flow, and what it tells those who measure."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.core.events import CAUSE_ID
from stresslab.liquidation.forced import make_forced_orders
from tests.markets import TICKS, UNIT, Ask, buy_at_market, market, model_of, orders_of, people

INDEX, VOLUNTARY = CAUSE_ID["index"], CAUSE_ID["voluntary"]
RESILIENCE, STOP = CAUSE_ID["resilience"], CAUSE_ID["stop"]


def floor_of(kind="linear", names=("BTC", "ETH"), together=False, **law):
    """Return the floor of books in which 10 lots of BTC and 20 of ETH are a move of 1 %."""
    depths = {"BTC": 1000.0, "ETH": 2000.0, "SOL": 1000.0}
    law = {"kind": kind, "depth_usd": 1.0, "depth_usd_by_asset": depths, **law}
    held = dict.fromkeys(names, 500)
    short = dict.fromkeys(names, -500)
    model = model_of(market({"some": people((1e6, held), (1e6, short))}, assets=names,
                            market__book={"kind": "impact", "law": law}))  # fmt: skip
    model.world.floor.together = together
    return model, model.world.floor


def batch(*rows):
    """Return forced orders (account, asset, lots, limit) of wallets."""
    orders = make_forced_orders(8)
    orders.n[0] = len(rows)
    for k, (n, a, lots, limit) in enumerate(rows):
        orders.pool[k], orders.account[k], orders.asset[k] = n, n, a
        orders.lots[k], orders.limit[k], orders.keep[k] = lots, limit, -1
    return orders


def forced(model, orders, act="force"):
    marks = model.world.board.ticks
    sequence = np.arange(orders.n[0])
    return getattr(model.world.floor, act)(orders, sequence, model.engine.closing.charges, marks)


# -- forced orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1])
def test_forced_sales_move_the_price_by_the_law_and_are_counted(limit):
    """5 and 15 of 10 lots to the percent: -2 %; ETH bought by account 1, +1 %."""
    model, floor = floor_of()
    buy_limit = 10**6 if limit else 0
    orders = batch((0, 0, -5, limit), (1, 1, 20, buy_limit), (0, 0, -15, limit), (1, 1, 0, limit))
    moves = forced(model, orders)
    assert moves.tolist() == pytest.approx([-0.02 * TICKS, 0.01 * TICKS], rel=1e-9)
    assert floor.books.flow.tolist() == [-20.0, 20.0]
    assert orders.filled[:4].tolist() == [-5, 20, -15, 0]
    assert floor.volume.tolist() == [20, 20] and floor.totals() == (3, 0, 0, 0)
    c = model.world.clearing
    assert c.accounts.position[:, :2].tolist() == [[480, -500], [500, -480]]
    assert c.house.position.tolist() == [20, -20]
    assert c.house.cash[0] == orders.cash[:4].sum()


def test_sales_of_a_round_share_one_price_and_with_limits_each_gets_its_own():
    model, _ = floor_of()
    orders = batch((0, 0, -5, 0), (0, 0, -15, 0))
    forced(model, orders)
    assert 3 * orders.cash[0] == pytest.approx(orders.cash[1], abs=3)
    assert orders.cash[:2].sum() == pytest.approx(-20 * 99 * 100 * UNIT, rel=1e-9)
    model, _ = floor_of()
    orders = batch((0, 0, -5, 9000), (0, 0, -15, 9000))
    forced(model, orders)
    averages = [orders.cash[k] / orders.filled[k] / UNIT for k in (0, 1)]
    assert averages == pytest.approx([9975.0, 9875.0], rel=1e-6)


def test_a_market_order_beside_a_limit_fills_whole_and_the_limit_holds_the_other():
    """The price is at 9,900 after 10 lots, and the limit is there."""
    model, _ = floor_of()
    orders = batch((0, 0, -10, 0), (0, 0, -10, 9900), (1, 1, 2, 0))
    forced(model, orders)
    assert orders.filled[:3].tolist() == [-10, 0, 2]


def test_what_slips_pays_the_law_and_leaves_no_trace():
    model, floor = floor_of()
    forced(model, batch((0, 0, -5, 0)))
    orders = batch((0, 0, -10, 0), (1, 1, 20, 0))
    before = floor.books.flow.copy(), floor.volume.copy(), floor.totals()
    assert forced(model, orders, "slip").tolist() == [0.0, 0.0]
    assert orders.filled[:2].tolist() == [-10, 20]
    assert orders.cash[0] == pytest.approx(-10 * 9900 * UNIT, rel=1e-6), "from 9,950 to 9,850"
    assert floor.books.flow.tolist() == before[0].tolist()
    assert floor.volume.tolist() == before[1].tolist() and floor.totals() == before[2]


# -- whose the flow is -----------------------------------------------------------------------------


def matched(model, *asks):
    orders = orders_of(list(asks))
    sequence = np.arange(len(asks))
    return model.world.floor.match(orders, sequence, model.world.board.ticks)


@pytest.mark.parametrize("together", [False, True])
def test_moves_of_a_batch_are_charged_to_the_tags_of_its_orders(together):
    """10 lots bought at will, and quotes that are orders here; 30 sold by stops; ETH 20 bought."""
    model, floor = floor_of(together=together)
    moves = matched(
        model, Ask(0, 4, kind=1), Ask(0, -30, kind=1, tag=2), Ask(0, 6, kind=1, tag=1),
        buy_at_market(1, 20, 1),
    )  # fmt: skip
    kinds = [(asset, cause) for asset, cause, _ in moves]
    assert kinds == [(0, VOLUNTARY), (1, VOLUNTARY), (0, VOLUNTARY), (0, STOP)]
    ticks = [move[2] for move in moves]
    assert ticks == pytest.approx([40.0, 100.0, 60.0, -300.0], rel=1e-6)
    assert floor.owners == [{VOLUNTARY: 10.0, STOP: -30.0}, {VOLUNTARY: 20.0}]
    assert floor.books.flow.tolist() == [-20.0, 20.0]
    assert floor.volume.tolist() == [40, 20] and floor.totals()[0] == 4


def test_an_index_move_comes_first_and_is_the_index_s_own():
    _, floor = floor_of()
    floor.own(np.array([0]), np.array([VOLUNTARY]), np.array([10]))
    floor.books.flow[0] = 10.0
    moves = floor.open_step(np.array([TICKS // 2, TICKS]), 1.0)
    assert [(asset, cause) for asset, cause, _ in moves] == [(0, INDEX)]
    assert moves[0][2] == pytest.approx(-5050.0, rel=1e-9)
    assert floor.prices().tolist() == pytest.approx([5050.0, 10_000.0], rel=1e-9)


def test_what_resilience_forgets_goes_back_to_those_whose_flow_it_was():
    """Half of a flow of 20 is forgotten in a second: 30 bought by one, 10 sold by another."""
    _, floor = floor_of(resilience_half_life_seconds=1.0)
    floor.volume[:] = 9
    floor.own(np.array([0, 0, 0]), np.array([30, 31, 30]), np.array([10, -10, 20]))
    assert floor.owners[0] == {30: 30.0, 31: -10.0}
    floor.books.flow[0] = 20.0
    start = floor.prices()[0]
    moves = floor.open_step(np.array([TICKS, TICKS]), 1.0)
    fell = floor.prices()[0] - start
    assert fell == pytest.approx(-100.0, rel=1e-9) and floor.volume.tolist() == [0, 0]
    assert [(asset, cause) for asset, cause, _ in moves] == [(0, 30), (0, 31), (0, RESILIENCE)]
    assert [m[2] for m in moves] == pytest.approx([fell * 1.5, -fell * 0.5, 0.0], abs=1e-9)
    assert floor.owners[0] == pytest.approx({30: 15.0, 31: -5.0})
    assert math.fsum(m[2] for m in moves) == pytest.approx(fell, abs=1e-9)


def test_flow_that_nobody_owns_is_resilience_s_and_specks_of_it_are_forgotten():
    """Of 20 lots 5 are owned: a quarter of the move; a billionth of a lot is not remembered on."""
    _, floor = floor_of(resilience_half_life_seconds=1.0)
    floor.books.flow[0] = 20.0
    floor.owners[0] = {30: 5.0, 31: 1e-9, 32: 1.01e-9, 33: -1.01e-9}
    start = floor.prices()[0]
    moves = {cause: ticks for _, cause, ticks in floor.open_step(floor.books.index, 1.0)}
    fell = floor.prices()[0] - start
    assert moves[30] == pytest.approx(fell / 4, rel=1e-6)
    assert moves[RESILIENCE] == pytest.approx(3 * fell / 4, rel=1e-6)
    assert sorted(floor.owners[0]) == [30, 32, 33]


# -- what it tells ---------------------------------------------------------------------------------


def test_depth_is_what_moves_the_price_by_a_percent_of_the_mark():
    """At a mark of 10,000 to 9,900 and 10,100; of 150 ticks a percent is one tick at least."""
    _, floor = floor_of()
    bids, asks = floor.depths(np.array([TICKS, TICKS]))
    assert (bids.tolist(), asks.tolist()) == ([10, 20], [10, 20])
    bids, asks = floor.depths(np.array([TICKS + 50, TICKS - 50]))
    assert (bids.tolist(), asks.tolist()) == ([5, 29], [15, 9]), "100 and 99 ticks from the mark"
    floor.books.index[:] = 150, 199
    bids, asks = floor.depths(np.array([150, 199]))
    assert bids.tolist() == [6, 10] and asks.tolist() == [6, 10]


def test_quotes_are_the_price_in_whole_ticks_on_both_sides():
    _, floor = floor_of()
    floor.books.flow[:] = 1.0, -0.3
    bids, asks = np.zeros((2, 2), np.int64)
    floor.quotes(bids, asks)
    assert bids.tolist() == asks.tolist() == [10_010, 9998] == floor.last_trades().tolist()


def test_the_price_of_a_notional_is_its_average_and_none_if_a_market_has_it_not():
    """Buying 10 lots costs 10,050 on average; all that can be sold brings a tick a lot at last."""
    _, floor = floor_of()
    bid, ask = floor.impact_prices(0, 10 * 10_050.0)
    assert ask == pytest.approx(10_050.0, rel=1e-9) and bid < TICKS < ask
    exponential = floor_of("exponential")[1]
    assert None not in exponential.impact_prices(0, 1e5)
    bid, ask = exponential.impact_prices(0, 1e15)
    assert bid is None and ask is not None
