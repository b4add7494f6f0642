"""What every policy of auto-deleveraging and every way to socialise must keep."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.declarations import build
from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import (
    Contributors,
    Queue,
    Sharing,
    least_largest_share,
    share_out,
    whole_weights,
)
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.socialised import SOCIALISED_LOSSES

POLICIES = {**ADL_POLICIES, **{f"socialised {k}": v for k, v in SOCIALISED_LOSSES.items()}}
every_policy = pytest.mark.parametrize("name", sorted(POLICIES))

AMOUNTS = st.integers(0, 10**6) | st.integers(0, 2**40)
SIGNED = AMOUNTS | AMOUNTS.map(lambda x: -x)
ROWS = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.integers(1, 50), AMOUNTS, SIGNED, SIGNED, AMOUNTS),
    min_size=1,
    max_size=9,
)


def crowd(lines, *, in_lots: bool) -> Contributors:
    """Return contributors of any sort; what they can bear is at most what they have."""
    side, lots, value, profit, equity, bears = (
        np.array(c, np.int64) for c in zip(*lines, strict=True)
    )
    most = lots if in_lots else np.maximum(np.minimum(profit, equity), 0)
    return Contributors(
        side=side, lots=lots, value=value, cost=np.abs(value - side * profit), profit=profit,
        equity=equity, maintenance=value // 20, notional=value * 2, wallet=equity - profit,
        most=most, bearable=np.minimum(most, bears),
    )  # fmt: skip


def given_by(name: str, amount: int, people: Contributors) -> list[int]:
    """Return what each row gives when all are asked in the order of the division."""
    place, asked = POLICIES[name]().divide(amount, people)
    assert sorted(place.tolist()) == list(range(people.lots.size)), "everybody has one place"
    given, left = [0] * people.lots.size, amount
    for row, most in zip(place.tolist(), asked.tolist(), strict=True):
        given[row] = min(left, most)
        left -= given[row]
    return given


@every_policy
@settings(max_examples=60, deadline=None)
@given(lines=ROWS, amount=AMOUNTS, in_lots=st.booleans())
def test_nobody_gives_more_than_it_can_and_all_give_what_is_asked(name, lines, amount, in_lots):
    people = crowd(lines, in_lots=in_lots)
    found = given_by(name, amount, people)
    reach = people.most if issubclass(POLICIES[name], Queue) else people.bearable
    assert all(0 <= part <= most for part, most in zip(found, reach.tolist(), strict=True))
    assert sum(found) == min(amount, int(reach.sum()))


@every_policy
def test_a_policy_is_a_queue_or_shares_and_is_chosen_by_its_name(name):
    kind = POLICIES[name]
    assert issubclass(kind, Queue) or issubclass(kind, Sharing)
    if name in ADL_POLICIES:
        rules = build(LiquidationRules, {"position_adl": {"kind": name}})
        assert isinstance(rules.position_adl, kind)
        assert type(rules.profit_haircut) is ADL_POLICIES["profit_times_leverage"]
        rules = build(LiquidationRules, {"profit_haircut": {"kind": name}})
        assert isinstance(rules.profit_haircut, kind)
    else:
        rules = build(LiquidationRules, {"socialised_loss": {"kind": name.split()[1]}})
        assert isinstance(rules.socialised_loss, kind)


@every_policy
def test_equal_people_are_asked_in_order_of_their_ids(name):
    people = crowd([(1, 10, 1000, 500, 600, 600)] * 3, in_lots=True)
    assert given_by(name, 11, people) in ([4, 4, 3], [10, 1, 0])


# -- the two ways to share -------------------------------------------------------------------------

WEIGHTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), min_size=1, max_size=5)


def columns(lines):
    weights, most = (np.array(c, np.int64) for c in zip(*lines, strict=True))
    return weights, most


def level_of(amount: int, lines) -> Fraction:
    """Return the level x at which the sum of min(most, x · weight) is the amount, exactly."""
    left, open_rows = Fraction(amount), sorted(
        (Fraction(m, w), w, m) for w, m in lines if w > 0
    )  # fmt: skip
    while open_rows:
        level = left / sum(w for _, w, _ in open_rows)
        first, _, most = open_rows[0]
        if level <= first:
            return level
        left -= most
        open_rows.pop(0)
    raise AssertionError("more is asked than there is")


@settings(max_examples=300, deadline=None)
@given(lines=WEIGHTS, amount=st.integers(0, 40))
def test_shares_follow_one_level_to_within_a_unit_and_fill_who_is_full(lines, amount):
    weights, most = columns(lines)
    shares = share_out(amount, weights, most).tolist()
    with_weight = sum(m for w, m in lines if w > 0)
    assert sum(shares) == min(amount, int(most.sum()))
    if amount >= with_weight:
        assert all(s == m for s, (w, m) in zip(shares, lines, strict=True) if w > 0)
        return
    level = level_of(amount, lines)
    for share, (weight, top) in zip(shares, lines, strict=True):
        exact = min(Fraction(top), level * weight)
        assert abs(share - exact) <= 1 if weight else share == 0


def _all_divisions(amount, most):
    if not most:
        return [[]] if amount == 0 else []
    return [
        [first, *rest]
        for first in range(min(amount, most[0]) + 1)
        for rest in _all_divisions(amount - first, most[1:])
    ]


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=4),
    amount=st.integers(0, 12),
)
def test_min_max_is_the_best_of_all_divisions(lines, amount):
    """Compared from the largest part down, none of all divisions in whole units is better."""
    weights, most = columns(lines)
    amount = min(amount, int(most.sum()))

    def parts(division):
        return sorted((Fraction(x, w) for x, (w, _) in zip(division, lines, strict=True)),
                      reverse=True)  # fmt: skip

    found = least_largest_share(amount, weights, most).tolist()
    assert parts(found) == min(map(parts, _all_divisions(amount, most.tolist())))


def test_min_max_holds_amounts_that_floats_cannot_count():
    weights = np.array([3 * 10**17, 10**17, 10**17 + 1], np.int64)
    amount = 2**57 + 3
    shares = least_largest_share(amount, weights, weights)
    assert int(shares.sum()) == amount
    assert np.abs(shares - weights * (amount / float(weights.sum()))).max() < 1e3


def test_weights_that_are_no_numbers_of_units_become_integers():
    assert whole_weights(np.array([0.5, -1.0, 0.25])).tolist() == [2**40, 0, 2**39]
    assert whole_weights(np.array([0.0, -1.0])).tolist() == [0, 0]
    assert whole_weights(np.array([])).tolist() == []
