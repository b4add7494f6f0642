"""Initial margin: inverse, with closing fee, with orders, by open interest."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.margin import initial_margin as margins
from stresslab.margin.bankruptcy import bankruptcy_price

sides = st.sampled_from([1, -1])
whole = st.integers(0, 1000)
sizes = st.integers(-1000, 1000)
leverages = st.integers(1, 125).map(Fraction)
rates = st.integers(0, 100).map(lambda n: Fraction(n, 100))
TENTH = Fraction(1, 10)


@given(sides, st.integers(1, 10**6), leverages, rates)
def test_the_closing_fee_is_that_of_the_value_at_bankruptcy(side, value, leverage, fee):
    initial, maintenance = margins.margins_with_closing_fee(side, value, leverage, TENTH, fee, 3)
    closing = bankruptcy_price(side, Fraction(value), leverage) * fee

    assert initial == value / leverage + closing
    assert maintenance == value * TENTH - 3 + closing


@given(st.integers(1, 10**6), st.integers(1, 50_000), leverages)
def test_inverse_margin_times_leverage_is_the_worth_in_coin(value, entry, leverage):
    margin = margins.inverse_initial_margin(value, Fraction(entry), leverage)

    assert margin * leverage * entry == value


@given(sizes, whole, whole)
def test_orders_on_both_sides_mirror(size, buys, sells):
    margin = margins.margin_with_orders(size, buys, sells, TENTH, 100)

    assert margin == margins.margin_with_orders(-size, sells, buys, TENTH, 100)
    assert margin >= abs(size) * 10
    assert margin <= margins.margin_with_orders(size, buys + 1, sells + 1, TENTH, 100)


@given(st.integers(1, 1000), whole)
def test_orders_that_only_reduce_need_nothing_more(size, reducing):
    alone = margins.margin_with_orders(size, 0, 0, TENTH, 100)

    assert margins.margin_with_orders(size, 0, min(reducing, 2 * size), TENTH, 100) == alone
    provided = margins.margin_with_orders(size, 0, 0, TENTH, 100, fee_provision=2, open_loss=5)
    assert provided == alone + 7


@given(rates, whole, whole)
@example(Fraction(3, 20), 0, 200)  # no int may become a float
def test_the_rate_grows_with_open_interest_to_one(rate, interest, more):
    low, high = (
        margins.scaled_initial_rate(rate, oi, lower_cap=200, upper_cap=700)
        for oi in (interest, interest + more)
    )

    assert rate <= low <= high <= 1
    assert interest > 200 or low == rate
    assert interest < 700 or low == 1


@pytest.mark.parametrize(
    ("interest", "lower", "upper", "expected"),
    [
        (450, 200, 700, Fraction(6, 10)),
        (200, 200, 700, Fraction(2, 10)),
        (700, 200, 700, 1),
        (10**9, 0, 0, Fraction(2, 10)),  # no caps: nothing scales
        (99, 100, 100, Fraction(2, 10)),
        (100, 100, 100, 1),
    ],
)
def test_rates_at_the_caps(interest, lower, upper, expected):
    scaled = margins.scaled_initial_rate(Fraction(1, 5), Fraction(interest), lower, upper)

    assert scaled == expected


def test_a_rate_is_never_above_one():
    assert margins.scaled_initial_rate(Fraction(12, 10), 0, lower_cap=1, upper_cap=2) == 1


@pytest.mark.parametrize("notional", [123_456, -123_456])
def test_margin_rounds_up_to_the_quote_step(notional):
    rate = Fraction(567_243, 1_000_000)  # 70,029.55 of 123,456

    assert margins.scaled_initial_margin(notional, rate, 0, 0, 0, quote_step=1) == 70_030
    assert margins.scaled_initial_margin(notional, rate, 0, 0, 0) == 123_456 * rate


def test_leverage_of_nothing_is_refused():
    with pytest.raises(StresslabError, match="leverage: 0 is not above 0"):
        margins.inverse_initial_margin(100, 10, 0)
