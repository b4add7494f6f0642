"""Losses shared by everybody, and the queue of those who are deleveraged."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.errors import StresslabError
from stresslab.liquidation.adl.queue_fill import queue_fill
from stresslab.liquidation.socialised_loss import (
    charge_per_contract,
    deposit_haircut,
    withdrawal_charge,
)

amounts = st.integers(1, 1000)
queues = st.lists(st.tuples(amounts, st.integers(-5, 5)), max_size=8)


@given(amounts, st.lists(amounts, min_size=1))
def test_haircuts_of_all_deposits_pay_the_loss(loss, deposits):
    part = deposit_haircut(Fraction(loss), sum(deposits))

    assert sum(deposit * part for deposit in deposits) == loss


def test_without_deposits_nobody_loses():
    assert deposit_haircut(100, 0) == 0


@given(amounts, amounts, amounts)
def test_both_sides_pay_and_rounding_never_leaves_a_loss(loss, longs, shorts):
    exact = charge_per_contract(Fraction(loss), longs, -shorts)
    rounded = charge_per_contract(Fraction(loss), longs, shorts, step=Fraction(1, 100))

    assert exact * (longs + shorts) == loss
    assert 0 <= rounded - exact < Fraction(1, 100)


def test_a_contract_that_nobody_holds_cannot_pay():
    with pytest.raises(StresslabError, match="nobody holds"):
        charge_per_contract(1, 0, 0)


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(0, 1000))
def test_kept_withdrawals_pay_what_the_fund_does_not(balances, fund):
    exact = [Fraction(balance) for balance in balances]
    part = withdrawal_charge(exact, fund)
    deficit = sum(-balance for balance in exact if balance < 0)
    whole = sum(balance for balance in exact if balance > 0)

    assert part * whole == (max(0, deficit - fund) if whole else 0)


@given(queues, st.integers(-2000, 2000))
def test_the_queue_gives_all_it_is_asked_for_highest_score_first(queue, size):
    accounts = [(place, held, score) for place, (held, score) in enumerate(queue)]
    fills = queue_fill(size, accounts)

    assert sum(fills.values()) == min(abs(size), sum(held for held, _ in queue))
    order = sorted(accounts, key=lambda row: -row[2])
    assert list(fills) == [account for account, *_ in order[: len(fills)]]
    partial = [account for account, held, _ in accounts if 0 < fills.get(account, 0) < held]
    assert partial in ([], list(fills)[-1:])


def test_equal_scores_keep_their_order_and_shorts_count_without_sign():
    assert queue_fill(5, [("b", -4, 1), ("a", 4, 1), ("c", 0, 9)]) == {"b": 4, "a": 1}


def test_splitting_a_position_changes_what_the_queue_takes():
    """The queue is not split-proof: halves that rank differently pay differently."""
    whole = queue_fill(10, [("a", 20, 3), ("b", 20, 2)])
    split = queue_fill(10, [("a1", 10, 1), ("a2", 10, 1), ("b", 20, 2)])

    assert (whole, split) == ({"a": 10}, {"b": 10})
