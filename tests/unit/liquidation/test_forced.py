"""What forced fills do to the pools that are closed: lots and cash, then fee and penalty."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import FEES_PAID, PENALTIES_PAID
from stresslab.core.ledger import FEE, FEES, OWN_EXECUTION
from stresslab.liquidation.forced import (
    Charges,
    charge_orders,
    keep_orders,
    make_forced_orders,
    settle_forced,
)
from tests.markets import LOT, TICKS, USD, market, model_of, people

#: By mode: flat is nobody's; 1 % of what is closed for silos, 0.5 % for wallets; the fee is 0.1 %.
CHARGES = Charges(np.array([0, 10_000_000, 5_000_000]), np.array([1_000_000]))


def venue(mode, *wealth):
    """Return the columns of longs of 10 BTC with so much equity, at the mark of 100 USD."""
    longs = people(*((w, {"BTC": 10}) for w in wealth), mode=mode)
    story = {"longs": longs, "rest": people((1e6, {"BTC": -10 * len(wealth)}))}
    model = model_of(market(story))
    return model.world.clearing, model.world.board.ticks


def closed(c, marks, mode, *lots, order=None, keep=-1):
    """Sell lots of every account at 90 USD and charge them in an order."""
    orders, n = make_forced_orders(8), c.accounts.id.size
    orders.n[0] = len(lots)
    for row, sold in enumerate(lots):
        orders.pool[row] = row + n * (mode == "isolated")
        orders.account[row], orders.lots[row], orders.keep[row] = row, -sold, keep
        settle_forced(c.accounts, c.house, c.journal, orders, row, -sold, -sold * 90 * USD)
    sequence = np.array(order if order is not None else range(len(lots)))
    charge_orders(c.accounts, c.house, c.journal, c.tables, CHARGES, marks, orders, sequence)
    return orders


@pytest.mark.parametrize(("mode", "rate"), [("isolated", 9_000_000), ("cross", 4_500_000)])
def test_fee_and_penalty_are_parts_of_the_cash_by_the_mode_of_the_pool(mode, rate):
    """2 lots at 90 USD: 0.18 USD of fee, 1.80 or 0.90 of penalty, and 20 USD of own slippage."""
    c, marks = venue(mode, 200.0)
    pool = int(mode == "isolated")
    cash = c.accounts.cash[pool, 0]
    orders = closed(c, marks, mode, 2)
    fee, penalty = 180_000, 2 * rate // 10
    assert (orders.fee[0], orders.penalty[0]) == (fee, penalty)
    assert (orders.filled[0], orders.cash[0]) == (-2, -180 * USD)
    assert c.accounts.cash[pool, 0] - cash == 180 * USD - fee - penalty
    assert c.accounts.position[0, 0] == 8 and c.accounts.entry_cost[0, 0] == 8 * LOT
    assert c.house.cash[FEES] == fee
    assert c.accounts.tally[[FEES_PAID, PENALTIES_PAID], 0].tolist() == [fee, penalty]
    slot = c.journal.slot[0]
    assert c.journal.amount[slot, pool, FEE] == -fee - penalty
    assert c.journal.amount[slot, pool, OWN_EXECUTION] == 180 * USD
    assert c.accounts.mode[0, 0] == (1 if mode == "isolated" else 2)


def test_rates_are_rounded_up_to_the_unit():
    c, marks = venue("cross", 200.0)
    orders = make_forced_orders(2)
    orders.n[0], orders.lots[0], orders.keep[0] = 1, -1, -1
    settle_forced(c.accounts, c.house, c.journal, orders, 0, -1, -90_000_001)
    charge_orders(c.accounts, c.house, c.journal, c.tables, CHARGES, marks, orders, np.arange(1))
    assert (orders.fee[0], orders.penalty[0]) == (90_001, 450_001)


@pytest.mark.parametrize(("equity", "fee", "penalty"), [
    (0, 0, 0), (-1, 0, 0), (1, 1, 0), (899_999, 899_999, 0), (900_000, 900_000, 0),
    (900_001, 900_000, 1), (9_899_999, 900_000, 8_999_999), (9_900_000, 900_000, 9_000_000),
    (9_900_001, 900_000, 9_000_000),
])  # fmt: skip
def test_they_take_no_more_than_there_is_the_fee_first(equity, fee, penalty):
    """All 10 lots at 90 USD: 0.90 of fee, 9 of penalty; a residue goes home and unlocks."""
    c, marks = venue("isolated", 100.0)
    c.accounts.cash[1, 0] = equity - 900 * USD
    wallet = c.accounts.cash[0, 0]
    orders = closed(c, marks, "isolated", 10)
    assert (orders.fee[0], orders.penalty[0]) == (fee, penalty)
    left = equity - fee - penalty
    assert c.accounts.mode[0, 0] == (1 if left < 0 else 0)
    assert c.accounts.cash[0, 0] - wallet == max(0, left)
    assert c.accounts.cash[1, 0] == min(0, left)


def test_charges_come_when_all_fills_are_posted_in_the_order_given():
    """An account with two orders has 1 USD left for both: the one charged first takes it."""
    for order, fees in (([0, 1], [450_000, 450_000]), ([1, 0], [450_000, 450_000])):
        c, marks = venue("cross", 101.0)
        orders = make_forced_orders(4)
        orders.n[0], orders.lots[:2], orders.keep[:2] = 2, -5, -1
        for row in (0, 1):
            settle_forced(c.accounts, c.house, c.journal, orders, row, -5, -450 * USD)
        charge_orders(
            c.accounts, c.house, c.journal, c.tables, CHARGES, marks, orders, np.array(order)
        )
        first, second = order
        assert orders.penalty[first] == 550_000 and orders.fee[first] == fees[first]
        assert (orders.fee[second], orders.penalty[second]) == (0, 0)


def test_orders_taken_over_or_without_a_fill_are_not_charged():
    c, marks = venue("cross", 200.0, 200.0)
    orders = closed(c, marks, "cross", 2, keep=0)
    assert (orders.fee[0], orders.penalty[0]) == (0, 0)
    cash = c.accounts.cash.copy()
    orders = closed(c, marks, "cross", 0, 0)
    assert np.array_equal(c.accounts.cash, cash) and not orders.filled.any()
    assert c.journal.slot[1] == -1, "and nothing was posted"


def test_fills_of_one_order_add_up():
    c, _ = venue("cross", 200.0)
    orders = make_forced_orders(2)
    for lots, cash in ((-2, -170 * USD), (-3, -240 * USD)):
        settle_forced(c.accounts, c.house, c.journal, orders, 0, lots, cash)
    assert (orders.filled[0], orders.cash[0]) == (-5, -410 * USD)
    assert c.accounts.position[0, 0] == 5


def test_orders_that_are_not_kept_leave_no_gap():
    orders = make_forced_orders(5)
    orders.n[0] = 4
    for column in orders[1:]:
        column[:5] = 10, 11, 12, 13, 14
    keep_orders(orders, np.array([True, False, False, True]))
    assert orders.n[0] == 2
    assert all(column[:2].tolist() == [10, 13] for column in orders[1:])
    assert TICKS == 10_000
