"""Weights of collateral fall with size, weights of debt grow; health adds them up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.margin import collateral_weights as weights
from stresslab.margin.weighted_health import PerpetualHolding, TokenHolding, weighted_health

sizes = st.floats(0, 1e12)
factors = st.floats(0, 1)
amounts = st.integers(0, 10**6)


@given(factors, sizes, sizes)
def test_larger_assets_count_less_and_larger_debts_more(factor, size, other):
    small, large = sorted((size, other))

    assert 0 < weights.asset_weight(0.9, factor, large) <= weights.asset_weight(0.9, factor, small)
    assert weights.asset_weight(0.9, factor, small) <= 0.9
    debt = weights.liability_weight(1.1, factor, small)
    assert 1.1 <= debt <= weights.liability_weight(1.1, factor, large)


@pytest.mark.parametrize("function", [weights.asset_weight, weights.liability_weight])
def test_without_a_factor_size_does_not_matter(function):
    assert function(1.2, 0.0, 1e9) == function(1.2, 0.0, 0.0) == 1.2


def test_size_has_no_sign():
    with pytest.raises(StresslabError, match="size: -4 is below 0"):
        weights.asset_weight(0.9, 0.1, -4.0)


@given(amounts)
def test_value_that_counts_stops_growing_with_deposits(deposits):
    weight = weights.deposit_scaled_weight(Fraction(9, 10), 500_000, deposits, 25)

    assert weight * deposits * 25 == Fraction(9, 10) * min(500_000, deposits * 25)
    borrowed = weights.borrow_scaled_weight(Fraction(11, 10), 500_000, deposits, 25)
    assert borrowed == Fraction(11, 10) * max(1, Fraction(deposits * 25, 500_000))


def test_without_a_start_nothing_scales():
    assert weights.deposit_scaled_weight(0.9, 0, 10**9, 25) == 0.9
    assert weights.borrow_scaled_weight(1.1, 0, 10**9, 25) == 1.1


def test_borrowable_is_the_value_at_loan_to_value():
    assert weights.borrowable(3, 40, Fraction(1, 2)) == 60


HALF, THREE_HALVES = Fraction(1, 2), Fraction(3, 2)


def token(balance, **rest):
    return TokenHolding(balance, 10, HALF, THREE_HALVES, **rest)


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=5))
def test_without_perpetuals_tokens_add_up(balances):
    health = weighted_health([token(balance) for balance in balances])

    assert health == sum(10 * b * (HALF if b > 0 else THREE_HALVES) for b in balances)


@pytest.mark.parametrize(
    ("balance", "size", "quote", "expected"),
    [
        (
            0,
            10,
            0,
            10 * 5 * Fraction(8, 10) * HALF * 10 * HALF,
        ),  # profit counts half, then as asset
        (0, -10, 0, -10 * 5 * Fraction(12, 10) * 10 * THREE_HALVES),  # a loss in full, as debt
        (100, -10, 0, (100 - 60) * 10 * HALF),  # a loss eats the deposit first
        (-10, 10, 0, (-10 + 20) * 10 * HALF),  # a profit repays the debt first
        (0, 0, 7, 7 * HALF * 10 * HALF),
        (0, 0, 0, 0),
    ],
)
def test_perpetuals_settle_into_the_first_token(balance, size, quote, expected):
    perpetual = PerpetualHolding(size, 5, quote, Fraction(8, 10), Fraction(12, 10), HALF)

    assert weighted_health([token(balance), token(0)], [perpetual]) == expected


@pytest.mark.parametrize("balance", [Fraction(1, 2), Fraction(-1, 2)])
def test_parts_of_a_token_count_by_their_sign(balance):
    weight = HALF if balance > 0 else THREE_HALVES

    assert weighted_health([token(balance)]) == balance * 10 * weight
    crowded = {"deposits": 1, "borrows": 1}  # without a start nothing scales
    assert weighted_health([token(balance, **crowded)]) == balance * 10 * weight


def test_crowded_tokens_weigh_less_and_crowded_debts_more():
    crowded = {
        "deposits": 200,
        "borrows": 300,
        "deposit_scale_start": 1000,
        "borrow_scale_start": 1000,
    }

    assert weighted_health([token(4, **crowded)]) == 4 * 10 * HALF / 2
    assert weighted_health([token(-4, **crowded)]) == -4 * 10 * THREE_HALVES * 3
