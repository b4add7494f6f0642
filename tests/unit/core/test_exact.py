"""128-bit arithmetic against Python's own integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stresslab.core import exact

LARGEST = 2**63 - 1
INT64 = st.integers(-(2**63), LARGEST)
DIVISOR = st.integers(1, LARGEST)
ROUND = {
    exact.FLOOR: math.floor,
    exact.CEIL: math.ceil,
    exact.TOWARD_ZERO: math.trunc,
    exact.HALF_EVEN: round,
}


@given(a=INT64, b=INT64, c=DIVISOR, rounding=st.sampled_from(sorted(ROUND)))
@example(a=-(2**63), b=1, c=2, rounding=exact.FLOOR)
@example(a=LARGEST, b=LARGEST, c=LARGEST, rounding=exact.CEIL)
@example(a=-7, b=1, c=2, rounding=exact.HALF_EVEN)
def test_mul_div_is_the_rounded_fraction_or_an_overflow(a, b, c, rounding):
    expected = ROUND[rounding](Fraction(a * b, c))

    if abs(expected) > LARGEST:
        with pytest.raises(OverflowError, match="64 bits"):
            exact.mul_div(a, b, c, rounding)
    else:
        assert exact.mul_div(a, b, c, rounding) == expected


@given(
    quotient=st.integers(0, LARGEST - 1),
    c=st.integers(2, LARGEST),
    b=st.integers(1, LARGEST),
    rounding=st.sampled_from(sorted(ROUND)),
)
def test_mul_div_near_halves_and_wholes_of_wide_products(quotient, c, b, rounding):
    """Choose ``a`` so that the quotient is near a chosen place: random triples rarely are."""
    a = min(quotient * c // b, LARGEST)
    expected = ROUND[rounding](Fraction(a * b, c))
    assert exact.mul_div(a, b, c, rounding) == expected
    assert exact.mul_div(-a, b, c, exact.TOWARD_ZERO) == -(a * b // c)


@given(half=st.integers(1, 2**62 - 1), odd=st.integers(0, 2**40))
def test_halves_go_to_the_even_neighbour(half, odd):
    a = 2 * odd + 1
    expected = round(Fraction(a, 2))
    if a * half <= LARGEST:
        assert exact.mul_div(a, half, 2 * half, exact.HALF_EVEN) == expected


@pytest.mark.parametrize("divisor", [0, -1])
def test_mul_div_refuses_a_divisor_that_is_not_positive(divisor):
    with pytest.raises(ValueError, match="positive"):
        exact.mul_div(1, 1, divisor, exact.FLOOR)


@given(a=INT64, b=INT64)
@example(a=2**31, b=2**32)
@example(a=2**31, b=2**32 - 1)
def test_multiply_is_exact_or_an_overflow(a, b):
    if abs(a * b) > LARGEST:
        with pytest.raises(OverflowError, match="64 bits"):
            exact.multiply(a, b)
    else:
        assert exact.multiply(a, b) == a * b


@given(
    total=st.integers(-LARGEST, LARGEST),
    weights=st.lists(st.integers(0, 2**58), min_size=1, max_size=20),
)
@example(total=5, weights=[1, 1, 1])
@example(total=LARGEST, weights=[2**58, 0, 2**58 - 1])
def test_shares_follow_the_largest_remainders_and_add_up(total, weights):
    if sum(weights) == 0:
        weights[0] = 1
    shares = exact.apportion(total, np.array(weights, np.int64)).tolist()

    assert sum(shares) == total
    assert shares == _hamilton(total, weights)


def test_nothing_is_divided_by_nothing():
    none = np.zeros(3, np.int64)
    assert exact.apportion(0, none).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="all weights are zero"):
        exact.apportion(1, none)
    with pytest.raises(ValueError, match="negative"):
        exact.apportion(1, np.array([2, -1]))
    with pytest.raises(OverflowError, match="sum of the weights"):
        exact.apportion(1, np.array([LARGEST, 1]))


def test_ticks_are_the_nearest_with_halves_to_even():
    assert [exact.to_ticks(price, 0.1) for price in (0.3, 0.25, 0.34, -0.16)] == [3, 2, 3, -2]
    assert exact.to_ticks(60_002.5, 5.0) == 12_000
    assert exact.to_ticks(60_007.5, 5.0) == 12_002


@pytest.mark.parametrize("price", [math.nan, math.inf, 1e19])
def test_a_price_that_fits_no_integer_is_refused(price):
    with pytest.raises(OverflowError, match="not finite or too large"):
        exact.to_ticks(price, 1.0)


def _hamilton(total: int, weights: list[int]) -> list[int]:
    sign, whole = (-1 if total < 0 else 1), sum(weights)
    shares = [abs(total) * weight // whole for weight in weights]
    left = abs(total) - sum(shares)
    places = range(len(weights))
    order = sorted(places, key=lambda i: (-(abs(total) * weights[i] % whole), i))
    for place in order[:left]:
        shares[place] += 1
    return [sign * share for share in shares]
