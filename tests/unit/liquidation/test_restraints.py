"""What holds forced orders back: pauses to the step, limits to the tick, a throttle to the lot."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.liquidation.forced import make_forced_orders
from stresslab.liquidation.restraints import Restraints
from stresslab.liquidation.rules import LiquidationRules
from tests.markets import LOT, TICKS, USD, market, model_of, people

OPEN = np.zeros(2, bool)


def restraints(model, step_seconds=1.0, **rules):
    found = Restraints(build(LiquidationRules, rules), model.world.clearing, step_seconds)
    found.open_step()
    return found


@pytest.fixture
def model():
    """Return a market of four isolated positions: 10 BTC, -10 BTC, 4 ETH and -4 ETH."""
    held = {"BTC": 10}, {"BTC": -10}, {"ETH": 4}, {"ETH": -4}
    longs = people(*((1000.0, lots) for lots in held), mode="isolated")
    return model_of(market({"some": longs}, assets=("BTC", "ETH")))


def batch(*rows, limit=0):
    """Return forced orders (row, asset, lots) of isolated pools."""
    orders = make_forced_orders(8)
    orders.n[0] = len(rows)
    for place, (n, asset, lots) in enumerate(rows):
        orders.pool[place], orders.account[place] = (1 + asset) * 4 + n, n
        orders.asset[place], orders.lots[place], orders.limit[place] = asset, lots, limit
    return orders


def sent(orders, name="lots"):
    return getattr(orders, name)[: orders.n[0]].tolist()


# -- pauses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pauses", "step_seconds", "paused"),
    [
        ({}, 1.0, []),
        ({"a": (3.0, 2.0)}, 1.0, [3, 4]),
        ({"a": (0.0, 1.0)}, 1.0, [0]),
        ({"a": (2.0, 2.0), "b": (7.0, 1.0)}, 1.0, [2, 3, 7]),
        ({"a": (2.0, 3.0), "b": (3.0, 4.0)}, 1.0, [2, 3, 4, 5, 6]),
        ({"a": (2.5, 2.0)}, 1.0, [3, 4]),  # in the first step at or after its time
        ({"a": (4.0, 6.0)}, 2.0, [2, 3, 4]),
    ],
)
def test_a_pause_begins_with_its_second_and_ends_with_its_length(
    model, pauses, step_seconds, paused
):
    rules = {name: {"at_seconds": at, "for_seconds": long} for name, (at, long) in pauses.items()}
    found = restraints(model, step_seconds, pauses=rules)
    assert [step for step in range(10) if found.is_paused(step)] == paused


# -- limits ----------------------------------------------------------------------------------------


def limits(model, band, marks, *orders, own=0):
    found = batch(*orders, limit=own)
    restraints(model, price_band=band).apply(np.array(marks), OPEN, found)
    return sent(found, "limit")


def test_a_band_is_in_whole_ticks_not_beyond_it_on_either_side(model):
    """0.5 % of 9,999 ticks is 49.995: 49 of them, for sales below and purchases above."""
    band = {"kind": "from_mark", "distance": 0.005}
    rows = (0, 0, -10), (1, 0, 10), (2, 1, -1), (3, 1, 1)
    assert limits(model, band, [9999, 400], *rows) == [9950, 10_048, 398, 402]


@pytest.mark.parametrize(("own", "expected"), [
    (0, [9900, 10_100]), (9950, [9950, 9950]), (10_050, [10_050, 10_050]),
    (9000, [9900, 9000]), (11_000, [11_000, 10_100]),
])  # fmt: skip
def test_an_order_keeps_its_own_limit_where_that_is_stricter(model, own, expected):
    band = {"kind": "from_mark", "distance": 0.01}
    rows = (0, 0, -10), (1, 0, 10)
    assert limits(model, band, [TICKS, TICKS], *rows, own=own) == expected


def test_no_limit_is_below_one_tick_since_zero_is_no_limit(model):
    """A silo of 100 USD a lot with bankruptcy at 0 USD: a sale at the mark of 50 may go to 1."""
    model.world.clearing.accounts.cash[1, 0] += 10 * LOT
    model.world.clearing.accounts.cash[1, 1] -= 10_000 * LOT
    rows = (0, 0, -10), (1, 0, 10)
    assert limits(model, {"kind": "bankruptcy"}, [5000, TICKS], *rows) == [1, 1]
    assert limits(model, {"kind": "from_mark", "distance": 0.9}, [3, 1], (0, 0, -10)) == [1]


# -- halts and throttle ----------------------------------------------------------------------------


def test_orders_in_a_halted_market_are_dropped_and_others_go(model):
    found = batch((0, 0, -10), (2, 1, -4), (1, 0, 10))
    halted = np.array([True, False])
    restraints(model).apply(np.array([TICKS, TICKS]), halted, found)
    assert (sent(found), sent(found, "asset"), sent(found, "account")) == ([-4], [1], [2])


@pytest.mark.parametrize("usd", [99.99, 100.0, 500.0, 999.99, 1000.0, 1400.0, 1e6])
def test_each_market_takes_whole_lots_as_far_as_its_notional_goes(model, usd):
    """Of sales and purchases alike, the most urgent pool first; what is nothing is dropped."""
    model.world.clearing.accounts.cash[1, 1] -= 1  # the short is the more urgent of two equals
    found = batch((0, 0, -10), (1, 0, 10), (2, 1, -4), (3, 1, 1))
    restraints(model, usd_per_step=usd).apply(np.array([TICKS, TICKS]), OPEN, found)
    room = int(usd // 100)
    buys = min(10, room)
    expected = [-min(10, room - buys), buys, -min(4, room), min(1, max(0, room - 4))]
    assert sent(found) == [lots for lots in expected if lots]


def test_fills_use_the_room_of_a_step_up_and_the_next_step_has_it_whole_again(model):
    """3 of 5 lots are filled at 100 USD; a purchase and a sale use the same room."""
    found, marks = batch((0, 0, -10)), np.array([TICKS, TICKS])
    venue = restraints(model, usd_per_step=500.0)
    venue.apply(marks, OPEN, found)
    assert sent(found) == [-5]
    found.filled[0] = -3
    venue.note_fills(marks, found)
    again = batch((1, 0, 10), (2, 1, -4))
    venue.apply(marks, OPEN, again)
    assert sent(again) == [2, -4]
    again.filled[:2] = 2, 0
    venue.note_fills(marks, again)
    third = batch((0, 0, -1))
    venue.apply(marks, OPEN, third)
    assert sent(third) == []
    venue.open_step()
    last = batch((0, 0, -10))
    venue.apply(marks, OPEN, last)
    assert sent(last) == [-5] and 5 * LOT == 500 * USD


def test_a_rise_within_the_step_leaves_no_room_below_nothing(model):
    """5 lots bought at 100 USD, and at 120 the 500 USD are more than used."""
    venue, found = restraints(model, usd_per_step=500.0), batch((1, 0, 5))
    found.filled[0] = 5
    venue.note_fills(np.array([12_000, TICKS]), found)
    more = batch((0, 0, -10), (2, 1, -4))
    venue.apply(np.array([12_000, TICKS]), OPEN, more)
    assert (sent(more), sent(more, "asset")) == ([-4], [1])
