"""Premium of a book, interest, caps and payments of funding."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.market import funding_terms as terms
from stresslab.market.funding_premium import impact_price, premium, premium_parts_per_million

levels = st.lists(st.tuples(st.integers(1, 1000).map(Fraction), st.integers(0, 50)), max_size=6)
prices = st.integers(1, 1000).map(Fraction)


@given(levels, st.integers(0, 5000), st.booleans())
def test_the_impact_price_fills_the_notional(side, notional, is_bid):
    price = impact_price(side, notional, is_bid)
    depth = sum(level * quantity for level, quantity in side)

    assert (price is None) == (depth < notional or depth == 0)
    if price is None or notional == 0:
        return
    left, base = Fraction(notional), Fraction(0)
    for level, quantity in sorted(side, reverse=is_bid):
        taken = min(left, level * quantity)
        left -= taken
        base += taken / level
    assert price == notional / base


@given(levels.filter(lambda side: any(quantity for _, quantity in side)), st.booleans())
def test_a_notional_of_nothing_asks_the_best_price(side, is_bid):
    held = [price for price, quantity in side if quantity]

    assert impact_price(side, 0, is_bid) == (max(held) if is_bid else min(held))


@given(prices, prices, prices)
def test_the_premium_mirrors(bid, ask, index):
    """Reflect the book in its index: the premium changes its sign."""
    found = premium(bid, ask, index)

    assert found == -premium(2 * index - ask, 2 * index - bid, index)
    assert premium(None, None, index) == 0
    assert premium(index, index, index) == 0


@pytest.mark.parametrize(
    ("bids", "asks", "expected"),
    [
        ([(103, 9)], [(105, 9)], 30_000),
        ([(95, 9)], [(97, 9)], -30_000),
        ([(99, 9)], [(101, 9)], 0),
        ([(103, 9)], [(97, 9)], 0),  # crossed: both sides count
        ([(103, 1)], [(97, 9)], -30_000),  # no depth on one side
        ([(150, 9)], [], 40_000),
        ([], [(50, 9)], -40_000),
        ([], [], 0),
    ],
)
def test_books_on_either_side_of_the_index(bids, asks, expected):
    assert premium_parts_per_million(bids, asks, 100, 200, largest=40_000) == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_parts_are_truncated_toward_zero(sign):
    book = [(Fraction(100) + sign * Fraction(19_999, 10**7), 9)]
    bids, asks = (book, []) if sign > 0 else ([], book)

    assert premium_parts_per_million(bids, asks, 100, 200) == sign * 19


def test_an_index_of_nothing_is_refused():
    with pytest.raises(StresslabError, match="index: 0 is not above 0"):
        premium(1, 1, 0)


@given(prices, prices, st.integers(1, 86_400))
def test_the_spread_is_clamped_and_mirrors(mark, oracle, period):
    paid = terms.spread_payment(mark, oracle, period)

    assert abs(paid) <= oracle / 33 * period / 86_400
    assert paid == -terms.spread_payment(2 * oracle - mark, oracle, period)
    if abs(mark - oracle) <= oracle / 33:
        assert paid == (mark - oracle) * period / 86_400


def test_the_cap_vanishes_with_the_gap():
    assert terms.cap_from_margins(6, 0.05, 0.05) == 0
    assert terms.cap_from_margins(6, Fraction(1, 20), Fraction(3, 100)) == Fraction(12, 100)


@given(st.integers(-100, 100), prices, st.integers(1, 10))
def test_funding_sums_to_zero_and_windows_add_up(rate, spot, windows):
    per_unit = terms.premium_per_unit(Fraction(rate, 10_000), spot)
    parts = [terms.index_delta(per_unit, 60, 28_800)] * windows

    assert sum(parts) == terms.index_delta(per_unit, 60 * windows, 28_800)
    assert terms.funding_payment(3, parts[0]) + terms.funding_payment(-3, parts[0]) == 0
    assert (terms.funding_payment(3, parts[0]) < 0) == (rate > 0)


def test_a_cheap_quote_currency_is_paid_in_full():
    """Per unit in quote, times the quote's price: the same dollars."""
    dollars = [
        terms.funding_payment(2, terms.premium_per_unit(Fraction(1, 100), 50, quote), quote)
        for quote in (Fraction(1), Fraction(1, 2))
    ]

    assert dollars == [-1, -1]


@given(st.lists(st.floats(-0.01, 0.01), min_size=1, max_size=20))
def test_means_lie_between_the_samples(samples):
    for mean in (terms.mean_premium(samples), terms.linearly_weighted_premium(samples)):
        assert min(samples) - 1e-15 <= mean <= max(samples) + 1e-15


def test_the_newest_sample_counts_most():
    assert terms.linearly_weighted_premium([0.0, 0.0, 0.0, 1.0]) == 0.4
    assert terms.linearly_weighted_premium([1.0, 0.0, 0.0, 0.0]) == 0.1
    with pytest.raises(StresslabError, match="without a premium sample"):
        terms.mean_premium([])


def test_interest_is_shared_by_the_intervals_of_a_day():
    rate = terms.interest_component(Fraction(6, 10_000), Fraction(3, 10_000), 3)

    assert 3 * rate == Fraction(3, 10_000)
    assert rate == terms.interest_component(Fraction(6, 10_000), Fraction(3, 10_000))
    with pytest.raises(StresslabError, match="intervals_per_day: 0"):
        terms.interest_component(0.1, 0.2, 0)
