"""Who chooses a round's forced orders: urgency, the policy of each mode, and what it remembers."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.closing import Closer, by_urgency
from stresslab.liquidation.closures import CLOSURES
from stresslab.liquidation.forced import make_forced_orders
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import LOT, TICKS, USD, market, model_of, people

THIRD = {"kind": "share_per_step", "share": 0.333333333, "least_usd": 0.0}
NEEDS = {"rate_limited": {"usd_per_window": 1e6}}


def pools(*accounts, assets=("BTC", "ETH"), mode="cross", **changes):
    """Return the model of some accounts and one that takes the other side of all."""
    rest = {a: -sum(lots.get(a, 0) for _, lots in accounts) for a in assets}
    story = market({"some": people(*accounts, mode=mode), "rest": people((1e9, rest))},
                   assets=assets, **changes)  # fmt: skip
    return model_of(story)


def closer_of(model):
    return Closer(model._scenario.margin, 0.9, model.world.clearing, 1.0)


def chosen(closer, model, codes, marks, *, step=1):
    """Return (code, asset, lots) of what is ordered, and the batch."""
    orders = make_forced_orders(16)
    closer.choose(step, np.array(marks), np.array(codes), model.world.floor, orders)
    k = int(orders.n[0])
    columns = (orders.pool, orders.asset, orders.lots)
    return list(zip(*(column[:k].tolist() for column in columns), strict=True)), orders


# -- urgency ---------------------------------------------------------------------------------------


def test_the_lowest_equity_over_maintenance_is_the_most_urgent_and_ids_break_ties():
    """40 of 50, 30 of 50 twice, and -10 of 50 USD; ids run against rows."""
    model = pools(*[(w, {"BTC": 10}) for w in (100.0, 100.0, 100.0, 100.0)])
    c = model.world.clearing
    c.accounts.id[:] = [4, 3, 2, 1, 0]
    c.accounts.cash[0, :4] -= np.array([60, 70, 70, 110]) * USD
    order = by_urgency(c, model.world.board.ticks, np.arange(4))
    assert order.tolist() == [3, 2, 1, 0]


def test_who_needs_nothing_counts_as_needing_the_least_unit():
    """Debts of 2 and 3 micro-USD without positions; 1 USD of equity that needs 5 is below 1."""
    model = pools((100.0, {}), (100.0, {}), (100.0, {"BTC": 1}))
    c = model.world.clearing
    c.accounts.cash[0, :2] = -2, -3
    c.accounts.cash[0, 2] -= 99 * USD
    order = by_urgency(c, model.world.board.ticks, np.arange(3))
    assert order.tolist() == [1, 0, 2]


# -- the policy of each mode -----------------------------------------------------------------------


def test_each_mode_s_pools_are_closed_by_its_own_policy():
    """Wallets whole, silos by a third, cross pools first; the last wallet is no silo."""
    model = pools((1e3, {"BTC": 6, "ETH": -6}), (1e3, {"BTC": 6}), margin__isolated__closure=THIRD,
                  margin__cross__closure={"kind": "whole"})  # fmt: skip
    accounts = model.world.clearing.accounts
    accounts.position[1, 2], accounts.mode[1, 2] = 9, 1  # account 2 is the other side
    accounts.mode[0, 2] = 2
    found, _ = chosen(closer_of(model), model, [0, 1, 2, 8], (TICKS, TICKS))
    assert found == [(0, 0, -6), (0, 1, 6), (1, 0, -6), (2, 0, 12), (8, 1, -2)]


@pytest.mark.parametrize("kind", sorted(CLOSURES))
def test_only_a_window_is_remembered_and_as_long_as_it_says(kind):
    policy = CLOSURES[kind](**NEEDS.get(kind, {}))
    assert policy.window_steps(2.0) == (15 if kind == "rate_limited" else 0)


@pytest.mark.parametrize(("held", "lots"), [(6, 1), (9, 2), (3, 1), (2, 1), (1, 1), (10, 3)])
def test_a_share_is_never_more_than_its_part_but_one_lot_goes(held, lots):
    """0.333333333 of 6 lots is less than 2."""
    model = pools((1e3, {"BTC": held}), margin__cross__closure=THIRD)
    assert chosen(closer_of(model), model, [0], (TICKS, TICKS))[0] == [(0, 0, -lots)]


@pytest.mark.parametrize(("most", "found"), [
    (1000.0, [(0, 1, -10)]), (1100.0, [(0, 1, -10), (0, 0, -1)]),
    (1099.99, [(0, 1, -10)]), (2000.0, [(0, 1, -10), (0, 0, -5)]), (99.0, []),
])  # fmt: skip
def test_a_pool_s_limit_is_used_up_by_the_larger_leg_first(most, found):
    """Half of 20 and of 10 lots at 100 USD."""
    closure = {"kind": "share_per_step", "share": 0.5, "least_usd": 0.0, "most_usd": most}
    model = pools((1e3, {"BTC": 10, "ETH": 20}), margin__cross__closure=closure)
    assert chosen(closer_of(model), model, [0], (TICKS, TICKS))[0] == found


def test_a_step_has_one_try_and_the_next_another():
    model = pools((1e3, {"BTC": 6}), margin__cross__closure=THIRD)
    closer = closer_of(model)
    tries = [bool(chosen(closer, model, [0], (TICKS, TICKS), step=s)[0]) for s in (0, 0, 1, 1, 2)]
    assert tries == [True, False, True, False, True]


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_backstop_takes_over_below_its_share_of_maintenance_to_the_unit(off):
    """Two thirds of 50 USD and a unit are 33,333,334 when rounded as equity must reach them."""
    share = 0.666666667
    closure = {"kind": "share_then_whole", "backstop_below": share, "above_usd": 1e9}
    model = pools((100.0, {"BTC": 10}), margin__cross__closure=closure)
    bar = -(-50 * USD * 666_666_667 // 10**9)
    assert bar * 10**9 > 50 * USD * 666_666_667, "it is not a whole number of units"
    model.world.clearing.accounts.cash[0, 0] = bar + off - 1000 * USD
    found, orders = chosen(closer_of(model), model, [0], (TICKS, TICKS))
    assert found == [(0, 0, -10)]
    assert orders.keep[0] == (RATE_UNIT if off < 0 else -1)


# -- windows ---------------------------------------------------------------------------------------


def test_a_window_forgets_step_by_step_and_gives_back_what_was_not_filled():
    """1,000 USD in 3 steps at 100 USD: 10 lots; of 6 ordered in step 1, 4 are filled."""
    closure = {"kind": "rate_limited", "usd_per_window": 1000.0, "window_seconds": 3.0}
    model = pools((1e3, {"BTC": 6}), (1e3, {"BTC": 6, "ETH": 3}), margin__cross__closure=closure)
    closer, marks = closer_of(model), (TICKS, TICKS)

    def ordered(step, codes, *filled):
        found, orders = chosen(closer, model, codes, marks, step=step)
        orders.filled[: len(filled)] = filled
        closer.settle(step, np.array(marks), orders)
        return [-lots for *_, lots in found]

    assert ordered(1, [0], -4) == [6]
    assert ordered(1, [0, 1], -6, 0) == [6, 3], "the second needs more of as much"
    assert ordered(2, [0]) == [] and ordered(2, [1], 0) == [3]
    assert ordered(3, [0]) == []
    assert ordered(4, [0], -6) == [6], "step 1 is out of the window"
    assert ordered(4, [1], -4, -3) == [4, 3]


def test_a_fill_of_one_mode_frees_nothing_in_the_window_of_the_other():
    closure = {"kind": "rate_limited", "usd_per_window": 500.0, "window_seconds": 30.0}
    story = {"margin__cross__closure": closure, "margin__isolated__closure": closure}
    model = pools((1e3, {"BTC": 6}), (1e3, {}), **story)
    accounts, closer = model.world.clearing.accounts, closer_of(model)
    accounts.position[0, 1], accounts.mode[0, 1] = 6, 1
    marks = np.array([TICKS, TICKS])
    found, orders = chosen(closer, model, [0, 3 + 1], marks)
    assert found == [(0, 0, -5), (4, 0, -5)]
    orders.filled[:2] = 0, -5
    closer.settle(1, marks, orders)
    assert chosen(closer, model, [0, 4], marks, step=2)[0] == [(0, 0, -5)]


# -- auctions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("elapsed", range(12))
def test_an_auction_never_concedes_more_than_its_line_nor_a_tick_less(side, elapsed):
    """One lot of a billion USD, whose ticks tell a billionth of its equity; 3, 3 and 3 seconds."""
    closure = {"kind": "dutch_auction", "first_discount": 0.1, "fast_discount": 0.5,
               "fast_seconds": 3.0, "slow_seconds": 3.0, "insolvent_seconds": 3.0}  # fmt: skip
    model = pools((1e3, {"BTC": side}), margin__cross__closure=closure)
    mark = 100 * 10**9
    value = mark * 10_000
    need = value // 20
    equity = need - 12_345_678_901
    model.world.clearing.accounts.cash[0, 0] = equity - side * value
    closer = closer_of(model)
    closer.breached(5, np.array([0]))
    _, orders = chosen(closer, model, [0], (mark, TICKS), step=5 + elapsed)
    first, fast = 100_000_000, 400_000_000
    part = first + fast * min(elapsed, 3) // 3 + 500_000_000 * min(max(elapsed - 3, 0), 3) // 3
    beyond = 10**9 * min(max(elapsed - 6, 0), 3) // 3
    conceded = equity * part // 10**9 + need * beyond // 10**9
    assert orders.limit[0] == mark - side * (conceded // 10_000)


@pytest.mark.parametrize("equity", [0, -1, 1])
@pytest.mark.parametrize("elapsed", [0, 1, 2, 3, 4])
def test_a_pool_without_equity_starts_with_the_last_part(equity, elapsed):
    closure = {"kind": "dutch_auction", "insolvent_seconds": 3.0}
    model = pools((1e3, {"BTC": 1}), margin__cross__closure=closure)
    mark = 100 * 10**9
    model.world.clearing.accounts.cash[0, 0] = equity - mark * 10_000
    closer = closer_of(model)
    closer.breached(5, np.array([0]))
    _, orders = chosen(closer, model, [0], (mark, TICKS), step=5 + elapsed)
    beyond = 0 if equity > 0 else 10**9 * min(elapsed, 3) // 3
    assert orders.limit[0] == mark - mark * 500 * beyond // 10**9 // 10_000


def test_no_offer_is_below_a_tick_and_legs_share_by_what_they_need():
    """Equity of 300 USD for 2 lots of 100 and 1 of 200 USD at 5 and 20 %: 10 and 40 of 50 parts."""
    closure = {"kind": "dutch_auction", "first_discount": 0.5, "fast_discount": 0.5}
    model = pools((1e3, {"BTC": 2, "ETH": 1}), margin__cross__closure=closure)
    tables, accounts = model.world.clearing.tables, model.world.clearing.accounts
    tables.rate[1] = 4 * tables.rate[0]
    accounts.cash[0, 0] = -100 * USD
    closer = closer_of(model)
    closer.breached(1, np.array([0]))
    _, orders = chosen(closer, model, [0], (TICKS, 2 * TICKS))
    assert orders.limit[:2].tolist() == [10_000 - 1500, 20_000 - 12_000]
    accounts.cash[0, 0] += 900 * USD
    _, orders = chosen(closer, model, [0], (TICKS, 2 * TICKS))
    assert orders.limit[:2].tolist() == [10_000 - 6000, 1]


def test_a_fraction_of_a_unit_short_of_a_tick_concedes_no_tick():
    """One lot of 1e9 and one of 7e8 USD: the larger's part of the pot is a tick less a fraction."""
    closure = {"kind": "dutch_auction", "first_discount": 1.0, "fast_discount": 1.0}
    model = pools((1e3, {"BTC": 1, "ETH": -1}), margin__cross__closure=closure)
    marks = (100 * 10**9, 70 * 10**9 + 1)
    needs = [-(-mark * 10_000 // 20) for mark in marks]
    whole = next(
        pot for pot in range(10**12, 10**12 + 10**5)
        if (pot * needs[0] // sum(needs)) % 10_000 == 9999 and pot * needs[0] % sum(needs)
    )  # fmt: skip
    model.world.clearing.accounts.cash[0, 0] = whole + (marks[1] - marks[0]) * 10_000
    closer = closer_of(model)
    closer.breached(1, np.array([0]))
    _, orders = chosen(closer, model, [0], marks)
    parts = [whole * need // sum(needs) // 10_000 for need in needs]
    assert orders.limit[:2].tolist() == [marks[0] - parts[0], marks[1] + parts[1]]


@pytest.mark.parametrize("penalty", [0, 10_000_000, 20_000_000])
@pytest.mark.parametrize("scenarios", [False, True])
def test_the_least_common_share_counts_what_closing_will_cost(penalty, scenarios):
    """Tried permille after permille, lots rounded up: 1,000 BTC long, 700 ETH short at 100 USD.

    Brackets ask for 5 % of each, scenarios for 0.8 x 18 % of the net and 1.5 % of each.
    """
    rules = {"margin__portfolio": {"classes": {"two": ["BTC", "ETH"]}}} if scenarios else {}
    model = pools((1e6, {"BTC": 1000, "ETH": -700}), **rules,
                  margin__cross__closure={"kind": "least_common_share"},
                  margin__cross__penalty_rate=penalty / 1e9)  # fmt: skip

    def need(long, short):
        of_net, of_each = (144, 15) if scenarios else (0, 50)
        return (abs(long - short) * of_net + (long + short) * of_each) * LOT // 1000

    equity = need(1000, 700)
    model.world.clearing.accounts.cash[0, 0] = equity - 300 * LOT

    def cut(permille):
        return permille, -(-700 * permille // 1000)

    def restores(permille):
        long, short = cut(permille)
        left = equity - (long + short) * LOT * penalty // 10**9
        return need(1000 - long, 700 - short) * 10 <= 9 * left

    long, short = cut(next((n for n in range(1, 1000) if restores(n)), 1000))
    found, _ = chosen(closer_of(model), model, [0], model.world.board.ticks)
    assert found == [(0, 0, -long), (0, 1, short)]
