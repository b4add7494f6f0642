"""What every impact law in the table must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY, make_fills
from stresslab.core.declarations import parameters
from stresslab.market.impact import LAWS
from stresslab.market.impact_book import (
    FILL_PRICES,
    ImpactBooks,
    cash_of,
    decay,
    execute_together,
    impact_depth,
    make_impact_books,
    price_now,
    price_ticks,
    submit_impact,
    walk_impact,
)

INDEX, UNIT, DEPTH_LOTS = 1_000_000, 1000, 2000
every_law = pytest.mark.parametrize("name", sorted(LAWS))
every_fill_price = pytest.mark.parametrize("fill_price", FILL_PRICES)


def make(name: str, fill_price: str = "integral", **settings: float) -> ImpactBooks:
    required = {p.name: 30.0 for p in parameters(LAWS[name]) if p.is_required}
    law = LAWS[name](**{**required, "depth_usd": 1e6, **settings})
    return make_impact_books(law, fill_price, np.array([INDEX]), {"BTC": 1e6 / DEPTH_LOTS})


def send(books, lots, kind=MARKET, price=0):
    fills = make_fills(1)
    filled = submit_impact(books, 0, 7, kind, lots, price, UNIT, fills)
    return filled, int(fills.cash[0])


@every_law
def test_one_depth_of_buying_raises_the_price_by_one_percent(name):
    books = make(name)
    assert price_now(books, 0) == INDEX
    send(books, DEPTH_LOTS)
    assert price_now(books, 0) == pytest.approx(1.01 * INDEX, rel=1e-12)


@every_law
def test_the_price_rises_with_the_flow_and_buying_pays_more_than_selling_gives(name):
    prices = []
    for lots in range(-10 * DEPTH_LOTS, 10 * DEPTH_LOTS, 997):
        books = make(name)
        books.flow[0] = lots
        prices.append(price_now(books, 0))
        assert cash_of(books, 0, 50, UNIT) > -cash_of(books, 0, -50, UNIT) > 0
    assert np.all(np.diff(prices) > 0)


@every_law
@pytest.mark.parametrize("start", [0, 1500, -700])
@pytest.mark.parametrize("lots", [4000, -4000, 1])
def test_the_integral_is_the_area_under_the_law(name, start, lots):
    books = make(name)
    books.flow[0] = start
    law, shape = LAWS[name].displacement, books.shape

    def price(flow):
        return INDEX * math.exp(law(flow / DEPTH_LOTS, shape))

    kinks = [0] if min(start, start + lots) < 0 < max(start, start + lots) else None
    area, _ = quad(price, start, start + lots, points=kinks, epsabs=0, epsrel=1e-12, limit=200)
    assert cash_of(books, 0, lots, UNIT) == pytest.approx(UNIT * area, rel=1e-10, abs=1)


@every_law
def test_the_midpoint_is_the_price_half_way(name):
    books = make(name, "midpoint")
    half = make(name)
    half.flow[0] = 600
    _, cash = send(books, 1200)
    assert cash == pytest.approx(price_now(half, 0) * 1200 * UNIT, abs=1)


@every_law
def test_splitting_an_order_changes_neither_flow_nor_cash(name):
    whole, parts = make(name), make(name)
    _, cash = send(whole, 3001)
    pieces = [send(parts, lots)[1] for lots in (1, 1000, -500, 2500)]

    assert whole.flow[0] == parts.flow[0] == 3001
    assert price_now(whole, 0) == price_now(parts, 0)
    assert sum(pieces) == cash


@every_law
@every_fill_price
def test_a_round_trip_returns_to_the_index_and_gains_nothing(name, fill_price):
    books = make(name, fill_price)
    _, paid = send(books, 1234)
    assert price_ticks(books, 0) > INDEX
    _, received = send(books, -1234)
    assert books.flow[0] == 0.0
    assert price_ticks(books, 0) == INDEX
    if fill_price == "after":  # two auctions, each at the price that it leaves
        assert paid + received > 0
    else:
        assert paid + received == 0


@every_law
@pytest.mark.parametrize("kind", [LIMIT, IOC])
def test_a_limit_order_fills_what_keeps_its_limit_and_no_lot_more(name, kind):
    books = make(name)
    filled, cash = send(books, 10**6, kind, 1_004_000)
    assert filled > 10
    assert price_now(books, 0) <= 1_004_000
    assert cash <= 1_004_000 * filled * UNIT
    books.flow[0] += 1
    assert price_now(books, 0) > 1_004_000

    assert send(books, 5, kind, 1_003_000) == (0, 0)
    assert send(books, 5, kind, 2_000_000)[0] == 5
    assert send(books, -(10**6), kind, 999_000)[0] < -filled
    assert price_now(books, 0) >= 999_000


@every_law
@every_fill_price
def test_orders_of_a_round_pay_one_price_and_add_up(name, fill_price):
    books = make(name, fill_price)
    lots = np.array([700, -1, 333, -250, 17])
    _, total = walk_impact(books, 0, 799, UNIT)
    cash = execute_together(books, 0, lots, UNIT)

    assert cash.sum() == total
    assert np.all(np.abs(cash - total * lots / 799) <= 1.0)
    assert books.flow[0] == 799


@every_law
def test_opposing_orders_of_a_round_meet_at_the_price_of_now(name):
    books = make(name)
    send(books, 500)
    cash = execute_together(books, 0, np.array([40, -60, 20]), UNIT)
    price = price_now(books, 0) * UNIT
    assert cash.sum() == 0
    np.testing.assert_allclose(cash, [40 * price, -60 * price, 20 * price], rtol=0, atol=1.0)
    assert books.flow[0] == 500


@every_law
def test_looking_changes_nothing(name):
    books = make(name)
    send(books, 100)
    lots, cash = walk_impact(books, 0, 70, UNIT)
    bids, asks = impact_depth(books, 0, 990_000, 1_010_000)
    assert books.flow[0] == 100
    assert send(books, 70) == (lots, cash)
    assert bids > 0 < asks


@every_law
def test_depth_is_what_moves_the_price_to_the_bounds(name):
    books = make(name)
    bids, asks = impact_depth(books, 0, 990_000, 1_010_000)
    assert asks in (DEPTH_LOTS, DEPTH_LOTS - 1), "the last lot may round over the bound"
    books.flow[0] = -bids
    assert price_now(books, 0) >= 990_000
    books.flow[0] -= 1
    assert price_now(books, 0) < 990_000


@every_law
def test_resilience_forgets_half_the_flow_in_its_half_life(name):
    books = make(name, resilience_half_life_seconds=30.0)
    send(books, 800)
    for _ in range(10):
        decay(books, 3.0)
    assert books.flow[0] == pytest.approx(400, rel=1e-12)


@every_law
def test_selling_far_leaves_one_tick(name):
    books = make(name)
    _, cash = send(books, -(10**9))
    assert cash < 0
    assert 1 <= price_ticks(books, 0) < INDEX
    books.index[0] = 1
    assert price_ticks(books, 0) == 1
    assert send(books, -1000)[1] <= -1000 * UNIT


@every_law
def test_a_post_only_order_is_refused(name):
    with pytest.raises(ValueError, match="no resting orders"):
        send(make(name), 1, POST_ONLY, INDEX)


@every_law
def test_the_first_line_of_a_law_says_what_it_is(name):
    assert LAWS[name].__doc__.strip().splitlines()[0].endswith(".")
    assert all(parameter.declaration.description for parameter in parameters(LAWS[name]))
