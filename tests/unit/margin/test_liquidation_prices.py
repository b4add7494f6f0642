"""Liquidation prices, held against what they mean: plug the price back in."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.margin import liquidation_price as prices
from stresslab.margin.bankruptcy import (
    bankruptcy_price,
    bankruptcy_price_of_margin,
    inverse_bankruptcy_price,
)
from stresslab.margin.leverage_table import leverage_table, maintenance_of

sides = st.sampled_from([1, -1])
quantities = st.integers(1, 1_000_000).map(lambda n: Fraction(n, 1000))
entries = st.integers(100, 10_000_000).map(lambda n: Fraction(n, 100))
leverages = st.integers(2, 125).map(Fraction)
rates = st.integers(10, 33).map(lambda n: Fraction(n, 10_000))
amounts = st.integers(-1000, 1000).map(Fraction)
TABLE = leverage_table(
    [(0, Fraction(1, 250)), (50_000, Fraction(1, 100)), (900_000, Fraction(1, 4))]
)


@given(sides, quantities, entries, leverages, rates, amounts, amounts)
def test_linear_equity_is_maintenance_at_the_price(
    side, quantity, entry, leverage, rate, profit, maintenance
):
    wallet = quantity * entry / leverage
    price = prices.linear(wallet, [prices.Leg(side, quantity, entry, rate, 0)], profit, maintenance)

    equity = wallet + profit + side * quantity * (price - entry)
    assert equity == quantity * price * rate + maintenance


@given(quantities, quantities, entries, rates)
def test_hedged_legs_share_one_price(long, short, entry, rate):
    assume(long != short)
    legs = [prices.Leg(1, long, entry, rate, 3), prices.Leg(-1, short, entry * 2, 2 * rate, 1)]
    price = prices.linear(entry, legs)

    equity = entry + sum(leg.side * leg.quantity * (price - leg.entry) for leg in legs)
    assert equity == sum(leg.quantity * price * leg.rate - leg.amount for leg in legs)


def test_legs_whose_margin_never_moves_have_no_price():
    with pytest.raises(StresslabError, match="same margin at every price"):
        prices.linear(10, [prices.Leg(1, 1, 100, Fraction(1))])


@given(sides, quantities, entries, leverages, amounts, amounts)
def test_in_a_table_the_bracket_is_that_of_the_price(
    side, quantity, entry, leverage, profit, maintenance
):
    wallet = quantity * entry / leverage
    leg = prices.TabledLeg(side, quantity, entry, TABLE)
    price = prices.linear_in_tables(wallet, [leg], profit, maintenance)

    def excess(mark):
        equity = wallet + profit + side * quantity * (mark - entry)
        return equity - maintenance - maintenance_of(TABLE, quantity * mark)

    if price == 0:  # no price liquidates a long, or every price a short
        assert side * excess(0) >= 0
    else:
        assert excess(price) == 0
        assert excess(price + side) > 0 > excess(price - side)


@given(st.sampled_from([Fraction(-1, 10**9), 0, Fraction(1, 10**9)]), sides)
def test_at_a_floor_both_brackets_say_the_same(offset, side):
    """The maintenance margin is continuous: a price may lie on the floor between two brackets."""
    notional = 50_000 + offset
    wallet = maintenance_of(TABLE, notional) - side * (notional - 60_000)
    leg = prices.TabledLeg(side, Fraction(1), Fraction(60_000), TABLE)

    assert prices.linear_in_tables(wallet, [leg]) == notional


def test_of_two_prices_of_a_hedge_the_nearer_is_meant():
    """A hedge with a steep upper bracket is liquidated far below and far above."""
    steep = leverage_table([(0, Fraction(1, 100)), (1000, Fraction(9, 10))])
    legs = [prices.TabledLeg(1, 10, 100, steep), prices.TabledLeg(-1, 9, 100, steep)]
    below, above = (prices.linear_in_tables(20, legs, mark=mark) for mark in (1, 10_000))

    assert 98 < below < 100 < above < 101
    assert prices.linear_in_tables(20, legs) == below


@given(sides, quantities, entries, leverages, rates)
def test_frozen_maintenance_is_used_up_at_the_price(side, quantity, entry, leverage, rate):
    price = prices.entry_maintenance(side, quantity, entry, leverage, rate, amount=2)
    value = quantity * entry

    assert value / leverage + side * quantity * (price - entry) == value * rate - 2
    topped = prices.entry_maintenance(side, quantity, entry, leverage, rate, 2, extra_margin=7)
    assert side * (price - topped) == 7 / quantity


@given(sides, quantities, entries, leverages, rates, rates)
def test_fee_inside_leaves_maintenance_and_fee(side, quantity, entry, leverage, rate, fee):
    margin = quantity * entry / leverage
    price = prices.fee_inside(side, quantity, entry, margin, rate, fee)

    assert margin + side * quantity * (price - entry) == quantity * price * (rate + fee)


@given(sides, quantities, entries, rates, rates, st.integers(1, 200))
def test_a_margin_ratio_of_one_is_the_mark(side, quantity, mark, rate, fee, ratio):
    assert prices.from_margin_ratio(side, quantity, mark, rate, 1, fee) == mark

    price = prices.from_margin_ratio(side, quantity, mark, rate, ratio, fee)
    equity = ratio * quantity * mark * (rate + fee) + side * quantity * (price - mark)
    assert equity == quantity * price * (rate + fee)


@given(sides, quantities, entries, leverages, st.integers(1, 100))
def test_hyperliquid_both_forms_and_half_of_initial(side, quantity, price, leverage, highest):
    margin = quantity * price / leverage
    found = prices.hyperliquid(side, quantity, price, margin, Fraction(highest))
    raw = margin - side * quantity * price

    assert found == prices.hyperliquid_raw(side, quantity, raw, Fraction(highest))
    assert margin + side * quantity * (found - price) == quantity * found / (2 * highest)


@given(sides, quantities, entries, rates, amounts)
def test_dydx_equity_is_maintenance_at_the_price(side, quantity, price, rate, maintenance):
    size, equity = side * quantity, quantity * price / 5
    found = prices.dydx(equity, size, price, rate, maintenance)

    assert equity + size * (found - price) == quantity * found * rate + maintenance


@given(sides, quantities, entries, rates, rates)
def test_kucoin_cross_shares_margin_by_value(side, quantity, price, rate, fee):
    size, gross = side * quantity, 3 * quantity * price
    found = prices.kucoin(size, price, gross / 7, gross, rate, fee)

    equity = quantity * price / 7 + size * (found - price)
    assert equity == quantity * found * (rate + fee)


@given(sides, quantities, entries, leverages)
def test_position_fields_give_bankruptcy_from_initial_margin(side, quantity, entry, leverage):
    cost = quantity * entry
    found = prices.position_fields(side, quantity, cost, cost / leverage)

    assert found == bankruptcy_price(side, entry, leverage)
    assert found == bankruptcy_price_of_margin(side, quantity, entry, cost / leverage)


@given(sides, st.integers(100, 10**6), entries, leverages, rates, rates)
def test_inverse_prices_plugged_back_in(side, value, entry, leverage, rate, fee):
    margin = value / entry / leverage

    def equity(price):
        return margin + side * value * (1 / entry - 1 / price)

    price = prices.inverse(side, value, entry, margin, rate, amount=0)
    assert equity(price) == value / price * rate
    others = prices.inverse(side, value, entry, margin, rate, 0, other_profit=margin / 2)
    assert equity(others) + margin / 2 == value / others * rate
    others = prices.inverse(side, value, entry, margin, rate, 0, other_maintenance=margin / 2)
    assert equity(others) - margin / 2 == value / others * rate
    lower = prices.inverse(side, value, entry, margin, rate, amount=margin / 100)
    assert equity(lower) == value / lower * rate - margin / 100
    inside = prices.inverse_fee_inside(side, value, entry, margin, rate, fee)
    assert equity(inside) == value / inside * (rate + fee)
    frozen = prices.inverse_with_fee_at_bankruptcy(side, value, entry, margin, rate, fee)
    bankrupt = (1 + side * fee) * value / (value / entry + side * margin)
    assert equity(frozen) == value / entry * rate + value * fee / bankrupt
    assert equity(inverse_bankruptcy_price(side, entry, leverage)) == 0


def test_an_inverse_short_with_its_value_in_margin_is_never_liquidated():
    with pytest.raises(StresslabError, match="covers every price"):
        prices.inverse(-1, 100, Fraction(10), Fraction(10), Fraction(1, 100))


@given(sides, entries, st.sampled_from([0, Fraction(1, 20), Fraction(1, 2), Fraction(5)]))
def test_shown_prices_come_early_and_bankruptcy_late(side, price, tick):
    shown = prices.displayed_price(price, side, tick)
    bankrupt = prices.displayed_bankruptcy(price, side, tick)

    assert side * (shown - price) >= 0 >= side * (bankrupt - price)
    assert tick == 0 or (shown / tick).denominator == (bankrupt / tick).denominator == 1
    assert abs(shown - price) < max(tick, 1) and (tick or shown == price == bankrupt)


@given(sides, quantities, entries, leverages, rates)
def test_liquidation_comes_before_bankruptcy(side, quantity, entry, leverage, rate):
    assume(rate < Fraction(1, leverage))
    margin = quantity * entry / leverage
    bankrupt = bankruptcy_price(side, entry, leverage)
    found = [
        prices.entry_maintenance(side, quantity, entry, leverage, rate),
        prices.fee_inside(side, quantity, entry, margin, rate),
        prices.linear(margin, [prices.Leg(side, quantity, entry, rate)]),
    ]

    assert all(side * (price - bankrupt) > 0 for price in found)


@given(sides, quantities, entries, leverages, rates)
def test_more_leverage_brings_the_price_nearer(side, quantity, entry, leverage, rate):
    lower, higher = (
        prices.entry_maintenance(side, quantity, entry, number, rate)
        for number in (leverage, leverage + 1)
    )

    assert side * (higher - lower) > 0


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (prices.entry_maintenance, (1, 0, 10, 5, 0.01), "quantity: 0 is not above 0"),
        (prices.entry_maintenance, (1, 1, 10, 0, 0.01), "leverage: 0 is not above 0"),
        (prices.fee_inside, (1, 1, 10, 2, 0.99, 0.01), "1 is not below 1"),
        (prices.dydx, (1000, 0, 3000, 0.05), "has no price"),
        (prices.kucoin, (0, 3000, 100, 5000, 0.05), "absolute_size: 0 is not above 0"),
        (prices.hyperliquid, (1, 1, 10, 2, 0), "max_leverage: 0 is not above 0"),
        (prices.inverse, (1, 100, 0, 1, 0.01), "entry: 0 is not above 0"),
    ],
)
def test_inputs_without_a_price_are_named(function, arguments, said):
    with pytest.raises(StresslabError, match=said):
        function(*arguments)
