"""17. Partial liquidation: what a market takes in a window, and what an auction concedes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.columns import LIMIT
from stresslab.liquidation.closing import Closer
from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.forced import make_forced_orders
from tests.markets import (
    LOT,
    ORDER_BOOK,
    TICKS,
    UNIT,
    USD,
    Ask,
    changed,
    fall,
    market,
    model_of,
    one_leg,
    orders_of,
    people,
    rows,
    run,
    scripted,
    tables_of,
)

every_side = pytest.mark.parametrize("side", [1, -1])


def test_a_window_holds_only_so_much_and_serves_the_most_urgent_first():
    """Two silos of 10 lots at 94 USD, 2,000 USD in 3 s: 21 lots; the poorer one goes first.

    With 1,000 USD it is 10 lots and none, and the other must wait until the window has passed.
    """
    longs = people((80.0, {"BTC": 10}), (70.0, {"BTC": 10}), mode="isolated")
    scenario = market(
        {"longs": longs, "rich": people((1e6, {"BTC": -20}))},
        duration_seconds=8.0,
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure={
            "kind": "rate_limited", "usd_per_window": 2000.0, "window_seconds": 3.0,
        },
    )  # fmt: skip
    names = ("step", "account", "filled_lots")
    assert rows(run(scenario), "forced_orders", *names) == [(2, 1, -10), (2, 0, -10)]
    tight = changed(scenario, margin__isolated__closure__usd_per_window=1000.0)
    assert rows(run(tight), "forced_orders", *names) == [(2, 1, -10), (5, 0, -10)]
    for usd, lots in ((1221.999999, 2), (1222.0, 3)):  # 10 and 3 lots are 1,222 USD
        part = changed(scenario, margin__isolated__closure__usd_per_window=usd)
        found = rows(run(part), "forced_orders", *names)
        assert found == [(2, 1, -10), (2, 0, -lots), (5, 0, lots - 10)]


def test_what_finds_nobody_does_not_use_up_the_window():
    """Nobody bids in step 2; the bids of step 3 take what the window still holds whole."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure={
            "kind": "rate_limited", "usd_per_window": 940.0, "window_seconds": 100.0,
        },
        liquidation__feedback="market",
    )  # fmt: skip
    tables = tables_of(scripted(scenario, {3: [Ask(1, 10, 9300)]}))
    assert rows(tables, "forced_orders", "step", "filled_lots") == [(2, 0), (3, -10)]


def test_what_found_nobody_is_given_back_to_the_window_once():
    """4 of 10 lots fill at 94 USD, then a round of other pools: 564 of 940 USD are left, 6 lots."""
    closure = {"kind": "rate_limited", "usd_per_window": 940.0, "window_seconds": 100.0}
    model = model_of(one_leg(20, 1000.0, 0.0, closure))
    closer = Closer(model._scenario.margin, 0.9, model.world.clearing, 1.0)
    orders, marks = make_forced_orders(4), np.array([9400])
    for clock, lots, filled in ((2, 10, 4), (3, 6, 6), (4, 0, 0)):
        closer.choose(clock, marks, np.array([0]), model.world.floor, orders)
        assert (orders.n[0], abs(orders.lots[0]) * orders.n[0]) == (int(lots > 0), lots)
        orders.filled[0] = -filled
        closer.settle(clock, marks, orders)
        orders.n[0] = 0
        closer.settle(clock, marks, orders)


def test_an_auction_may_concede_the_same_part_at_first_and_later():
    def refused(later):
        auction = CLOSURES["dutch_auction"](first_discount=0.3, fast_discount=later)
        return [name for name, _ in auction.faults()]

    assert (refused(0.3), refused(0.299)) == ([], ["fast_discount"])


AUCTION = {
    "kind": "dutch_auction", "first_discount": 0.1, "fast_discount": 0.5,
    "fast_seconds": 4.0, "slow_seconds": 5.0, "insolvent_seconds": 10.0,
}  # fmt: skip
#: A silo of 100 USD holds 10 lots: at 94 USD it has 40 USD, 4 USD a lot, and needs 47 USD.
PER_LOT, NEED_PER_LOT = Fraction(4), Fraction(47, 10)


def conceded(elapsed):
    """Return what is conceded of a lot's price after so many seconds, in USD."""
    if elapsed <= 4:
        return PER_LOT * (Fraction(1, 10) + Fraction(4, 10) * Fraction(elapsed, 4))
    if elapsed <= 9:
        return PER_LOT * (Fraction(1, 2) + Fraction(1, 2) * Fraction(elapsed - 4, 5))
    return PER_LOT + NEED_PER_LOT * min(Fraction(1), Fraction(elapsed - 9, 10))


@every_side
@pytest.mark.parametrize("elapsed", [0, 1, 3, 4, 5, 8, 9, 10, 15, 19, 25])
@pytest.mark.parametrize("off", [0, 1])
def test_an_auction_concedes_more_with_time(side, elapsed, off):
    """The limit of a moment takes a bid there, and none that is one tick further away."""
    model = model_of(
        market(
            {"one": people((100.0, {"BTC": side * 10}), mode="isolated"),
             "rich": people((1e6, {"BTC": -side * 10}))},
            market__book=ORDER_BOOK,
            margin__isolated__closure=AUCTION,
        )
    )  # fmt: skip
    c = model.world.clearing
    mark = TICKS - side * 600
    closer = Closer(model._scenario.margin, 0.9, c, 1.0)
    orders = make_forced_orders(4)
    codes = np.array([c.accounts.id.size])
    closer.breached(7, codes)
    closer.choose(7 + elapsed, np.array([mark]), codes, model.world.floor, orders)
    need = NEED_PER_LOT if side > 0 else Fraction(53, 10)
    ticks = (
        conceded(elapsed)
        if elapsed <= 9
        else PER_LOT + (conceded(elapsed) - PER_LOT) * (need / NEED_PER_LOT)
    )
    expected = mark - side * math.floor(100 * ticks)
    assert (orders.n[0], orders.lots[0], orders.limit[0]) == (1, -side * 10, expected)
    book = model.world.floor
    ask = [Ask(1, side * 10, expected - side * off, LIMIT)]
    book.match(orders_of(ask), np.array([0]), np.array([mark]))
    book.force(orders, np.array([0]), model.engine.closing.charges, np.array([mark]))
    assert orders.filled[0] == (-side * 10 if off == 0 else 0)


def test_an_auction_ends_at_the_bankruptcy_price_when_all_equity_is_conceded():
    """10 USD a lot were posted at 100 USD: after the slow part the offer is 90 USD."""
    assert 94 - conceded(9) == 90 and conceded(9) == PER_LOT


@pytest.mark.parametrize("feedback", ["market", "slipped"])
def test_an_auction_waits_for_a_bid_that_its_price_has_reached(feedback):
    """A bid at 91.60 USD is taken when 2.40 of 94 USD are conceded: 6 s after the breach."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        duration_seconds=12.0,
        market__book=ORDER_BOOK,
        market__shocks={"s": fall(0.06)},
        margin__isolated__closure=AUCTION,
        liquidation__feedback=feedback,
    )
    assert conceded(5) < Fraction(240, 100) <= conceded(6) or conceded(5) == Fraction(240, 100)
    tables = tables_of(scripted(scenario, {1: [Ask(1, 10, 9160)]}))
    found = rows(tables, "forced_orders", "step", "filled_lots", "cash_micro_usd")
    assert found[-1] == (2 + 5, -10, 10 * 9160 * UNIT)
    assert all(filled == 0 for _, filled, _ in found[:-1])
    assert len(found) == 6 and LOT == 100 * USD
