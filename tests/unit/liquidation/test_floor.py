"""What the floor of order books tells those who measure it."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.ledger import conserved_sums
from stresslab.liquidation.floor import fill_at_mark
from stresslab.liquidation.forced import Charges, make_forced_orders
from tests.markets import ORDER_BOOK, TICKS, UNIT, Ask, buy_at_market, market, people, scripted


def floor_of(*asks):
    """Return the floor after a step for each list of orders."""
    traders = {"some": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))}
    script = dict(enumerate(asks, start=1))
    model = scripted(market(traders, market__book=ORDER_BOOK), script)
    for _ in asks:
        model.step()
    return model.world.floor


@pytest.mark.parametrize("levels", [63, 64, 65, 600])
def test_the_price_of_a_notional_goes_through_as_many_levels_as_it_takes(levels):
    """One lot at each of the next prices: all of them cost their sum, and a tick more has none."""
    asks = [TICKS + k for k in range(1, levels + 1)]
    bids = [TICKS - k for k in range(1, levels + 1)]
    floor = floor_of([Ask(1, 1, p) for p in bids] + [Ask(1, -1, p) for p in asks])

    buying, selling = sum(asks), sum(bids)
    assert floor.impact_prices(0, buying)[1] == pytest.approx(buying / levels, rel=1e-12)
    assert floor.impact_prices(0, selling)[0] == pytest.approx(selling / levels, rel=1e-12)
    assert floor.impact_prices(0, buying + 1)[1] is None
    assert floor.impact_prices(0, selling + 1)[0] is None


def test_a_part_of_the_last_level_counts_at_its_price():
    """One lot at 10,010 and half of one at 10,020."""
    floor = floor_of([Ask(1, -1, TICKS + 10), Ask(1, -1, TICKS + 20)])
    bid, ask = floor.impact_prices(0, 10_010 + 5010)
    assert bid is None
    assert ask == pytest.approx((10_010 + 5010) / 1.5, rel=1e-12)


def test_quotes_are_the_best_prices_and_no_trade_is_the_first_price():
    floor = floor_of([Ask(1, 2, 9990), Ask(1, 3, 9980), Ask(1, -4, 10_010), Ask(1, -1, 10_020)])
    bids, asks = np.zeros((2, 1), np.int64)
    floor.quotes(bids, asks)
    assert (bids.tolist(), asks.tolist()) == ([9990], [10_010])
    assert floor.last_trades().tolist() == [TICKS], "nothing was traded"


def test_the_last_trade_is_at_the_resting_price():
    floor = floor_of([Ask(1, -4, 10_010)], [buy_at_market(0, 1)])
    assert floor.volume.tolist() == [1] and floor.last_trades().tolist() == [10_010]


# -- forced orders ---------------------------------------------------------------------------------


def batch(*rows):
    """Return forced orders (account, lots, limit) of wallets."""
    orders = make_forced_orders(8)
    orders.n[0] = len(rows)
    for k, (n, lots, limit) in enumerate(rows):
        orders.pool[k] = orders.account[k] = n
        orders.lots[k], orders.limit[k], orders.keep[k] = lots, limit, -1
    return orders


def forced(orders, *asks, act="force", use_last=False):
    """Let forced orders meet resting ones; return what they moved and the floor."""
    floor = floor_of(list(asks))
    floor.use_last = use_last
    charges = Charges(np.zeros(3, np.int64), np.zeros(1, np.int64))
    rows = np.arange(orders.n[0])
    return getattr(floor, act)(orders, rows, charges, np.array([TICKS])), floor


LADDER = (Ask(1, 3, 9990), Ask(1, 4, 9970), Ask(1, -2, 10_010), Ask(1, -5, 10_030))


@pytest.mark.parametrize(("lots", "limit", "filled", "cash"), [
    (-2, 0, -2, -2 * 9990), (-5, 0, -5, -3 * 9990 - 2 * 9970), (-9, 0, -7, -3 * 9990 - 4 * 9970),
    (-9, 9971, -3, -3 * 9990), (-9, 9970, -7, -3 * 9990 - 4 * 9970), (-9, 9991, 0, 0),
    (1, 0, 1, 10_010), (6, 10_029, 2, 2 * 10_010), (6, 10_030, 6, 2 * 10_010 + 4 * 10_030),
])  # fmt: skip
@pytest.mark.parametrize("act", ["force", "slip"])
def test_a_forced_order_takes_what_its_limit_lets_it(lots, limit, filled, cash, act):
    """Alike whether it trades with the book or only pays what the book asks."""
    orders = batch((0, lots, limit))
    _, floor = forced(orders, *LADDER, act=act)
    assert (orders.filled[0], orders.cash[0]) == (filled, cash * UNIT)
    c = floor.clearing
    assert c.accounts.position[0].tolist() == [10 + filled, -10 - filled * (act == "force")]
    assert c.house.position[0] == (-filled if act == "slip" else 0)
    assert c.house.cash[0] == (cash * UNIT if act == "slip" else 0)
    assert conserved_sums(c.accounts, c.house)[1].tolist() == [0]


@pytest.mark.parametrize("act", ["force", "slip"])
def test_orders_of_a_round_pay_behind_each_other(act):
    """Sales of 2 and 3 lots, a purchase in between, and one more lot that is left of 7."""
    orders = batch((0, -2, 0), (0, 3, 0), (0, -3, 9971), (0, -9, 9970))
    forced(orders, *LADDER, act=act)
    assert orders.filled[:4].tolist() == [-2, 3, -1, -4]
    cash = [-2 * 9990, 2 * 10_010 + 10_030, -9990, -4 * 9970]
    assert orders.cash[:4].tolist() == [ticks * UNIT for ticks in cash]


def test_forced_fills_are_trades():
    """Two makers of the same account are two fills; the last of them is the last trade."""
    orders = batch((0, -4, 0))
    moves, floor = forced(orders, *LADDER)
    assert floor.last_trades().tolist() == [9970]
    assert floor.volume.tolist() == [4] and floor.totals()[0] == 2
    assert moves.tolist() == [-10.0], "the bid of 9,990 is gone: from 10,000 to 9,990"
    assert floor.prices().tolist() == [9990.0]


def test_where_the_last_trade_is_the_price_a_forced_sale_sets_it():
    moves, floor = forced(batch((0, -4, 0)), *LADDER, use_last=True)
    assert moves.tolist() == [-30.0] and floor.prices().tolist() == [9970.0]


def test_what_slips_leaves_the_book_and_its_tape_as_they_are():
    moves, floor = forced(batch((0, -4, 0)), *LADDER, act="slip")
    assert moves.tolist() == [0.0] and floor.prices().tolist() == [TICKS]
    assert floor.last_trades().tolist() == [TICKS] and floor.volume.tolist() == [0]
    bids, asks = np.zeros((2, 1), np.int64)
    floor.quotes(bids, asks)
    assert (bids[0], asks[0]) == (9990, 10_010) and floor.totals()[0] == 0


def test_makers_pay_their_fee_and_the_room_for_fills_is_used_again():
    """0.1 % of 2 lots at 9,990 and 0.1 % of the same in the next round."""
    floor = floor_of(list(LADDER))
    floor.clearing.costs.maker[0] = 1_000_000
    charges = Charges(np.zeros(3, np.int64), np.zeros(1, np.int64))
    for lots in (2, 1):
        cash = floor.clearing.accounts.cash[0, 1]
        floor.force(batch((0, -lots, 0)), np.arange(1), charges, np.array([TICKS]))
        paid = lots * 9990 * UNIT
        assert cash - floor.clearing.accounts.cash[0, 1] == paid + paid // 1000
        assert floor.fills.n[0] == 1


def test_at_the_mark_everything_fills_that_its_limit_allows():
    """A sale down to 10,001 and a purchase up to 9,999 are beyond the mark of 10,000."""
    floor = floor_of([])
    rows = [(0, -1, 0), (0, -1, TICKS), (0, -1, TICKS + 1), (1, 1, 0), (1, 2, TICKS),
            (1, 2, TICKS - 1)]  # fmt: skip
    orders, c = batch(*rows), floor.clearing
    charges = Charges(np.zeros(3, np.int64), np.zeros(1, np.int64))
    fill_at_mark(c.accounts, c.house, c.journal, c.tables, charges, np.array([TICKS]), orders,
                 np.arange(6))  # fmt: skip
    assert orders.filled[:6].tolist() == [-1, -1, 0, 1, 2, 0]
    assert orders.cash[:6].tolist() == [lots * TICKS * UNIT for lots in (-1, -1, 0, 1, 2, 0)]
    assert c.house.position[0] == -1 and c.house.cash[0] == TICKS * UNIT


# -- withdrawal and depth --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "left"), [(0, [9980, 9980]), (1, [9980, 9990]), (2, [9990, 9980])]
)
def test_a_wallet_withdraws_from_all_markets_and_a_silo_from_its_own(pool, left):
    """Account 0 bids at 9,990 in both markets, account 1 at 9,980."""
    traders = {"some": people((1e6, {}), (1e6, {}))}
    asks = [Ask(n, 1, 9990 - 10 * n, asset=a) for n in (0, 1) for a in (0, 1)]
    model = scripted(market(traders, assets=("BTC", "ETH"), market__book=ORDER_BOOK), {1: asks})
    model.step()
    floor = model.world.floor
    floor.withdraw(np.array([2 * pool]))
    bids = np.zeros((2, 2), np.int64)
    floor.quotes(*bids)
    assert bids[0].tolist() == left
    assert floor.totals()[3] == (2 if pool == 0 else 1)
    floor.withdraw(np.array([2 * pool + 1, 2 * pool]))
    assert floor.totals()[3] == (4 if pool == 0 else 2)


@pytest.mark.parametrize(("mark", "bids", "asks"), [
    (TICKS, 3, 3), (9990, 7, 0), (10_010, 0, 7), (10_099, 0, 7), (150, 7, 0),
])  # fmt: skip
def test_depth_is_within_a_percent_of_the_mark_and_the_percent_counts(mark, bids, asks):
    """3 lots a hundred ticks away on both sides, 4 more ten ticks further."""
    floor = floor_of([Ask(1, 3, 9900), Ask(1, 4, 9891), Ask(1, -3, 10_100), Ask(1, -4, 10_110)])
    found = floor.depths(np.array([mark]))
    assert (found[0].tolist(), found[1].tolist()) == ([bids], [asks])


@pytest.mark.parametrize("mark", [99, 150, 199])
def test_a_percent_is_one_tick_at_least(mark):
    quotes = [Ask(1, 3, mark - 1), Ask(1, 4, mark - 2), Ask(1, -5, mark + 1), Ask(1, -6, mark + 2)]
    found = floor_of(quotes).depths(np.array([mark]))
    assert (found[0].tolist(), found[1].tolist()) == ([3], [5])
