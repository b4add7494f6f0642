"""A step's orders to an impact book that clears together, on numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stresslab.core.columns import CANCEL_ALL, IOC, MARKET, MOVE_MARGIN
from stresslab.model import StressModel
from tests.markets import TICKS, USD, Ask, buy_at_market, market, people, scripted

SPOT = {"kind": "spot", "initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
DEPTH_LOTS = 1000


def together(script: dict[int, list[Ask]], **book: Any) -> StressModel:
    """Return a run market of BTC, two shorts and two longs of 400 lots, which clears together."""
    law = {"kind": "exponential", "depth_usd": 100.0 * DEPTH_LOTS}
    scenario = market(
        {"all": people(*[(1e6, {"BTC": lots}) for lots in (400, 400, -400, -400)])},
        market__book={"kind": "impact", "law": law, "fill_price": "ends",
                      "clearing": "together", **book},
        market__mark={"rule": "mid"},
    )  # fmt: skip
    model = scripted(scenario, script)
    for _ in range(2):
        model.step()
    return model


def price(flow: float) -> float:
    return TICKS * math.exp(math.log(1.01) * flow / DEPTH_LOTS)


def paid(model: StressModel, row: int) -> float:
    """Return the ticks that a lot has cost or brought since the start."""
    accounts = model.world.clearing.accounts
    start = (400, 400, -400, -400)[row]
    lots = int(accounts.position[0, row]) - start
    first = 1_000_000 * USD - start * 100 * USD
    return (first - int(accounts.wallet[row])) / lots / (USD // 100)


def test_all_orders_of_a_step_pay_the_mean_of_the_prices_at_both_ends() -> None:
    model = together({1: [buy_at_market(0, -300), buy_at_market(1, -200), buy_at_market(2, 50)]})

    expected = (price(0) + price(-450)) / 2
    assert [paid(model, row) for row in (0, 1, 2)] == pytest.approx([expected] * 3, abs=1e-4)
    assert model.world.board.ticks[0] == round(price(-450))
    assert model.world.floor.volume[0] == 0  # of the second step


def test_the_midpoint_is_another_price() -> None:
    model = together({1: [buy_at_market(0, -300), buy_at_market(1, -200)]}, fill_price="midpoint")
    assert [paid(model, row) for row in (0, 1)] == pytest.approx([price(-250)] * 2, abs=1e-4)


def test_the_area_is_shared_when_fills_are_integrals() -> None:
    model = together({1: [buy_at_market(0, -300), buy_at_market(1, -200)]}, fill_price="integral")
    slope = math.log(1.01) / DEPTH_LOTS
    area = (price(0) - price(-500)) / slope / 500
    assert [paid(model, row) for row in (0, 1)] == pytest.approx([area] * 2, abs=1e-4)


def test_opposing_orders_meet_without_impact() -> None:
    model = together({1: [buy_at_market(0, -300), buy_at_market(2, 300)]})
    assert [paid(model, row) for row in (0, 2)] == [TICKS, TICKS]
    assert model.world.board.ticks[0] == TICKS


def test_reduce_only_orders_of_one_batch_close_and_do_not_turn() -> None:
    half = Ask(0, -300, kind=MARKET, reduce_only=1)
    model = together({1: [half, half]})
    assert model.world.clearing.accounts.position[0, 0] == 0
    assert model.world.floor.totals()[:3] == (2, 2, 0)


def test_open_orders_of_the_batch_count_when_the_next_is_accepted() -> None:
    # Initial margin is 10 %, so wealth of 1,000,000 USD carries 100,000 lots either way.
    wanted = [buy_at_market(0, 70_000), buy_at_market(0, 70_000)]
    model = together({1: wanted}, law={"kind": "exponential", "depth_usd": 1e15})
    assert model.world.clearing.accounts.position[0, 0] == 70_400
    assert model.world.floor.totals()[2] == 1


def test_limit_orders_follow_in_turn_within_their_limits() -> None:
    limit = round(price(-600))
    model = together({1: [buy_at_market(0, -400), Ask(1, -400, limit, IOC)]})
    sold = 400 - int(model.world.clearing.accounts.position[0, 1])
    assert sold == pytest.approx(200, abs=6)  # a tick is 5 lots
    assert price(-400 - sold) >= limit > price(-400 - sold - 1)


def test_sizes_whose_product_passes_int64_close_and_reduce() -> None:
    # 4e9 lots held against 4e9 sold: their product is beyond 2**63.
    big, cheap = 4_000_000_000, {**SPOT, "initial_price_usd": 0.1, "tick_size_usd": 0.001}
    scenario = market(
        {"all": people((1e10, {"BTC": big}))},
        market__book={"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e30},
                      "clearing": "together"},
        market__mark={"rule": "mid"},
    )  # fmt: skip
    scenario["assets"] = {"BTC": cheap}
    scenario["margin"]["brackets"] = {}
    half = Ask(0, -big // 2, kind=MARKET, reduce_only=1)
    model = scripted(scenario, {1: [half], 2: [buy_at_market(0, -big // 2)]})
    model.step()
    assert model.world.clearing.accounts.position[0, 0] == big // 2
    model.step()
    assert model.world.clearing.accounts.position[0, 0] == 0
    assert model.world.clearing.accounts.wallet[0] == 10**10 * USD


def test_a_limit_that_the_net_has_passed_fills_nothing() -> None:
    model = together({1: [buy_at_market(0, -400), Ask(1, -400, TICKS, IOC)]})
    assert model.world.clearing.accounts.position[0, :2].tolist() == [0, 400]
    assert model.world.floor.totals()[:3] == (1, 2, 0)
    assert model.world.board.ticks[0] == round(price(-400))


def test_a_request_is_answered_in_the_batch_and_is_no_order() -> None:
    """Nothing moves into a silo that is none, and what is withdrawn is nothing that rests."""
    asks = [Ask(0, 5 * USD, kind=MOVE_MARGIN), Ask(1, 1, kind=CANCEL_ALL), buy_at_market(2, 50)]
    model = together({1: asks})
    found = model.log.columns("requests")
    assert model.world.floor.totals()[:3] == (1, 1, 0)
    assert found["answer"].tolist() == ["not_isolated"]
    assert model.world.clearing.accounts.position[0].tolist() == [400, 400, -350, -400]


@pytest.mark.parametrize("lots", [1, -1])
def test_an_order_of_one_lot_counts_in_the_net(lots: int) -> None:
    model = together({1: [buy_at_market(0, lots)]})
    assert paid(model, 0) == pytest.approx((price(0) + price(lots)) / 2, abs=1e-4)
    assert model.world.floor.books.flow[0] == lots


def test_orders_with_a_limit_are_counted_as_well() -> None:
    model = together({2: [buy_at_market(0, -30), Ask(1, 20, kind=IOC, price=2 * TICKS)]})
    assert model.world.floor.volume[0] == 50
    assert model.world.clearing.accounts.position[0].tolist() == [370, 420, -400, -400]


@pytest.mark.parametrize(("row", "side"), [(0, -1), (2, 1)])
def test_reduce_only_counts_what_the_trader_s_own_orders_of_the_batch_close(
    row: int, side: int
) -> None:
    """Of 400 lots one order closes 150, so one that may only reduce closes 250 of its 300."""
    only = Ask(row, 300 * side, kind=MARKET, reduce_only=1)
    model = together({1: [buy_at_market(row, 150 * side), only]})
    assert model.world.clearing.accounts.position[0, row] == 0
    more = together({1: [buy_at_market(row, -150 * side), Ask(*only[:2], 0, MARKET, 0, 1)]})
    assert more.world.clearing.accounts.position[0, row] == -400 * side - 150 * side + 300 * side


@pytest.mark.parametrize("clearing", ["together", "one_by_one"])
def test_what_is_asked_refused_and_traded_is_counted_once(clearing: str) -> None:
    """Two trade, one has no margin, one has no price; a cancel and a request are no orders."""
    asks = [
        buy_at_market(0, -30), buy_at_market(2, 10**9), Ask(1, 20, TICKS // 2, IOC),
        Ask(1, 0, kind=CANCEL_ALL), Ask(3, 7, 2 * TICKS, IOC), Ask(3, 1, kind=MOVE_MARGIN),
    ]  # fmt: skip
    book = {"clearing": "together"} if clearing == "together" else {}
    model = together({2: asks}, **book) if book else in_turn({2: asks})
    assert model.world.floor.totals()[:3] == (2, 4, 1)
    assert model.world.floor.volume.tolist() == [37]
    assert model.world.floor.books.flow[0] == -23
    assert model.world.clearing.accounts.position[0].tolist() == [370, 400, -400, -393]


def in_turn(script: dict[int, list[Ask]]) -> StressModel:
    """Return the same market where orders fill one after another."""
    law = {"kind": "exponential", "depth_usd": 100.0 * DEPTH_LOTS}
    scenario = market(
        {"all": people(*[(1e6, {"BTC": lots}) for lots in (400, 400, -400, -400)])},
        market__book={"kind": "impact", "law": law}, market__mark={"rule": "mid"},
    )  # fmt: skip
    model = scripted(scenario, script)
    for _ in range(2):
        model.step()
    return model
