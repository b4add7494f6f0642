"""How much one liquidation takes, what it costs and what is left for the insurance fund."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.liquidation import liquidation_fee as fees
from stresslab.liquidation import partial_sizes as sizes

amounts = st.integers(1, 10_000)
fractions = st.integers(0, 100).map(lambda n: Fraction(n, 1000))


@given(st.integers(-1000, 1000), amounts, amounts, fractions)
def test_block_limits_never_exceed_the_position(size, price, least, portion):
    low, high = sizes.notional_limits(size, price, least, portion)
    notional = abs(size) * price

    assert 0 <= low <= high <= notional
    assert low == min(least, notional)
    assert high == max(low, portion * notional)
    assert (low, high) == sizes.notional_limits(-size, price, least, portion)


@given(amounts, fractions, fractions, amounts, amounts)
def test_closing_the_base_covers_the_shortage(shortage, fee, fund_fee, price, quote):
    rate = Fraction(1, 2)
    base = sizes.base_to_cover(shortage, rate, fee, fund_fee, price, quote)

    freed = base * price * quote * rate - base * price * quote * fee - base * price * fund_fee
    assert freed == shortage


@given(amounts, fractions, amounts)
def test_moving_the_debt_covers_the_shortage(shortage, fund_fee, price):
    """Debt and the assets given for it leave; what they weighed is freed, less the fee."""
    asset, liability = Fraction(8, 10), Fraction(12, 10)
    premium, discount = Fraction(101, 100), Fraction(99, 100)
    moved = sizes.liability_to_cover(shortage, asset, premium, liability, discount, price, fund_fee)

    debt_freed = moved * price * (1 - fund_fee) * liability
    assets_lost = moved * price / discount * premium * asset
    assert debt_freed - assets_lost == shortage


@pytest.mark.parametrize(
    "size",
    [
        sizes.base_to_cover(10, 0.05, 0.05, 0, 100),
        sizes.base_to_cover(10, 0.05, 0.01, 0.04, 100),
        sizes.base_to_cover(10, 0.05, 0.01, 0, 0),
        sizes.base_to_cover(10, 0.05, 0.01, 0, 100, quote_price=0),
        sizes.liability_to_cover(10, 1.2, 1, 1.2, 1, 100),
    ],
)
def test_what_frees_no_margin_is_closed_without_end(size):
    assert size == math.inf


def test_a_debt_that_is_taken_for_nothing_is_refused():
    with pytest.raises(StresslabError, match="liability_multiplier: 0 is not above 0"):
        sizes.liability_to_cover(10, 0.8, 1, 1.2, 0, 100)


@given(amounts, amounts, amounts, fractions)
def test_the_fund_takes_no_more_than_closing_frees(shortage, quantity, price, fee):
    rate = Fraction(1, 20)
    fund_fee = fees.affordable_fund_fee(
        Fraction(shortage), quantity, price, rate, fee, Fraction(3, 100)
    )
    notional = quantity * price

    assert 0 <= fund_fee <= Fraction(3, 100)
    left = notional * (rate - fee) - shortage
    assert fund_fee == 0 or fund_fee * notional <= Fraction(95, 100) * left
    assert (fund_fee > 0) == (left > 0)


@pytest.mark.parametrize(("quantity", "price", "quote"), [(0, 100, 1), (10, 0, 1), (10, 100, 0)])
def test_without_notional_the_fund_takes_nothing(quantity, price, quote):
    assert fees.affordable_fund_fee(1, quantity, price, 0.05, 0.01, 0.05, quote) == 0


@given(st.integers(0, 60_000), st.integers(0, 1000))
def test_the_fee_never_falls_with_time_and_stays_in_its_bounds(elapsed, more):
    base, most, slot = Fraction(2, 100), Fraction(5, 100), Fraction(1, 10**6)
    now, later = (
        fees.ramped_fee(base, most, slots, 1500, slot) for slots in (elapsed, elapsed + more)
    )

    assert base <= now <= later <= most
    assert (now == base) == (elapsed < 1500)


def test_a_ceiling_below_the_base_does_not_lower_it():
    assert fees.ramped_fee(0.05, 0.02, 10_000, 1500, 1e-6) == 0.05


def test_the_penalty_is_a_share_of_maintenance():
    assert fees.maintenance_penalty(Fraction(1, 5), Fraction(7, 10), 1000) == 140


def test_no_fund_and_a_quote_at_par_are_what_is_meant_unless_told():
    """Debt of weight 1.2 against worth of weight 0.8 at 100: 40 are freed by each unit."""
    assert sizes.liability_to_cover(80, Fraction(8, 10), 1, Fraction(12, 10), 1, 100) == 2
    assert sizes.base_to_cover(80, Fraction(5, 10), Fraction(1, 10), 0, 100) == 2
    assert fees.affordable_fund_fee(Fraction(0), 1, 100, Fraction(5, 10), 0, 1) == Fraction(19, 40)
