"""Bankruptcy quotes, limit prices and fund deltas of a cross account that is liquidated."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.liquidation.fillable_price import fillable_price
from stresslab.liquidation.insurance_fund import fund_delta, takeover_delta
from stresslab.margin.bankruptcy import bankruptcy_quote, inverse_bankruptcy_price
from stresslab.margin.cross_account import CrossAccount, CrossPosition

STEP = Fraction(1, 1_000_000)
sizes = st.integers(-10_000, 10_000).filter(bool).map(lambda n: Fraction(n, 1000))
prices = st.integers(1, 50_000)
rates = st.integers(1, 20).map(lambda n: Fraction(n, 100))
positions = st.builds(CrossPosition, sizes, prices, rates)
accounts = st.builds(
    CrossAccount, st.integers(-500_000, 500_000), st.lists(positions, min_size=1, max_size=4)
)


@given(accounts)
def test_closing_everything_at_bankruptcy_leaves_nothing(account):
    """Each position's quote, summed and added to the balance, is 0: nobody gains or owes."""
    quotes = [
        bankruptcy_quote(account, place, -position.size, quote_step=0)
        for place, position in enumerate(account.positions)
    ]

    assert account.quote_balance + sum(quotes) == 0


@given(accounts, st.integers(1, 10).map(lambda n: Fraction(n, 10)))
def test_a_part_needs_its_part(account, part):
    whole = bankruptcy_quote(account, 0, -account.positions[0].size, quote_step=0)
    some = bankruptcy_quote(account, 0, -account.positions[0].size * part, quote_step=0)

    assert some == whole * part


@given(accounts)
def test_quotes_round_against_the_account(account):
    exact = bankruptcy_quote(account, 0, -account.positions[0].size, quote_step=0)
    rounded = bankruptcy_quote(account, 0, -account.positions[0].size)

    assert 0 <= rounded - exact < STEP
    assert rounded == math.ceil(exact / STEP) * STEP


@given(sizes, prices, rates, rates)
def test_alone_the_rate_does_not_matter(size, price, rate, other):
    accounts = [CrossAccount(700, [CrossPosition(size, price, r)]) for r in (rate, other)]
    first, second = (bankruptcy_quote(account, 0, -size) for account in accounts)

    assert first == second


@pytest.mark.parametrize("delta", [0, 1, -3, Fraction(-21, 10)])
def test_a_delta_must_close(delta):
    account = CrossAccount(-100, [CrossPosition(2, 100, Fraction(1, 10))])

    with pytest.raises(StresslabError, match="does not close up to 2 of a position of 2"):
        bankruptcy_quote(account, 0, delta)


def test_a_flat_position_is_closed_by_nothing():
    account = CrossAccount(-100, [CrossPosition(0, 100, 1), CrossPosition(2, 100, 1)])

    with pytest.raises(StresslabError, match="delta: -1 does not close up to 0 of a position of 0"):
        bankruptcy_quote(account, 0, -1)


def test_without_maintenance_margin_nothing_can_be_shared():
    account = CrossAccount(-100, [CrossPosition(2, 100, 0)])

    with pytest.raises(StresslabError, match="total maintenance margin is 0"):
        bankruptcy_quote(account, 0, -1)
    with pytest.raises(StresslabError, match="no position to liquidate"):
        fillable_price(account, 0)


def test_an_inverse_short_at_one_is_never_bankrupt():
    with pytest.raises(StresslabError, match="never bankrupt"):
        inverse_bankruptcy_price(-1, 100, 1)


@given(accounts, st.integers(1, 4), rates)
def test_fillable_price_runs_from_oracle_to_the_widest_spread(account, adjustment, spread):
    position = account.positions[0]
    price = fillable_price(account, 0, adjustment, spread)
    side = 1 if position.size > 0 else -1
    widest = position.price * spread * position.rate

    assert 0 <= side * (position.price - price) <= widest
    ratio = account.net_collateral / account.maintenance
    if ratio >= 1:
        assert price == position.price
    if ratio <= 0:
        assert side * (position.price - price) == widest


@pytest.mark.parametrize("size", [1, -1, Fraction(1, 2)])
def test_by_default_the_widest_spread_is_one_and_a_half_times_maintenance(size):
    bankrupt = CrossAccount(-size * 100, [CrossPosition(size, 100, Fraction(1, 10))])
    side = 1 if size > 0 else -1

    assert fillable_price(bankrupt, 0) == 100 - side * 15
    half = CrossAccount(abs(size) * 5 - size * 100, bankrupt.positions)
    assert fillable_price(half, 0) == 100 - side * Fraction(15, 2)


@pytest.mark.parametrize("size", [Fraction(1, 2), Fraction(-1, 2)])
def test_small_positions_close_in_small_parts(size):
    account = CrossAccount(0, [CrossPosition(size, 100, Fraction(1, 10))])

    assert bankruptcy_quote(account, 0, -size / 2, quote_step=0) == 0
    with pytest.raises(StresslabError, match="does not close"):
        bankruptcy_quote(account, 0, size / 2)


@given(accounts, prices, rates)
def test_money_is_conserved_between_book_fund_and_account(account, fill_price, max_fee):
    """What the fill brings is the fund's, the account's, and what keeps it from bankruptcy."""
    position = account.positions[0]
    assume(position.size != 0)
    delta = fund_delta(account, 0, abs(position.size), fill_price, max_fee, quote_step=0)
    cash = position.size * fill_price
    quote = bankruptcy_quote(account, 0, -position.size, quote_step=0)
    kept = cash - quote - delta  # by the account, above its share of collateral

    assert kept >= 0
    assert kept == 0 or delta == max_fee * abs(cash)
    assert (delta < 0) == (cash < quote)


@given(sizes, st.integers(3, 50_000))
def test_the_mirror_image_pays_the_same(size, price):
    """A short below and a long above bankruptcy by as much cost the fund the same."""
    tenth = Fraction(1, 10)
    account = CrossAccount(-size * price, [CrossPosition(size, price, tenth)])
    mirror = CrossAccount(size * price, [CrossPosition(-size, price, tenth)])
    worse = price - 1 if size > 0 else price + 1
    better = price + 1 if size > 0 else price - 1

    for fill, other in ((worse, better), (better, worse)):
        one = fund_delta(account, 0, size, fill, max_fee=1, quote_step=0)
        two = fund_delta(mirror, 0, size, other, max_fee=1, quote_step=0)
        assert one == two
    assert fund_delta(account, 0, size, worse, max_fee=1, quote_step=0) == -abs(size)


@given(st.sampled_from([1, -1]), st.integers(0, 100), prices, prices)
def test_a_takeover_gains_what_the_fill_is_better(side, quantity, fill, bankrupt):
    gained = takeover_delta(side, quantity, fill, bankrupt)

    assert gained == -takeover_delta(-side, quantity, fill, bankrupt)
    assert (gained > 0) == (quantity > 0 and side * (fill - bankrupt) > 0)


def test_a_takeover_of_less_than_nothing_is_refused():
    with pytest.raises(StresslabError, match="quantity: -1 is below 0"):
        takeover_delta(1, -1, 100, 100)
