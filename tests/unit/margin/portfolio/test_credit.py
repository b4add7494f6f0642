"""Hedge credit by correlation, against the words in numbers."""

from __future__ import annotations

import math

import pytest

from stresslab.core.portable import power
from stresslab.margin.portfolio.credit import CreditByCorrelation, CreditNow
from stresslab.margin.requirement.part import Opening, Sight

NONE_YET = Opening(2.0, [100, 100, 100, 100], [0.0, 0.0, 0.0, 0.0])
CLASSES = [0, 0, -1, 3]


def sight(*marks: int) -> Sight:
    return Sight(0.0, [*marks], [*marks], list, list)


def shares(path, opening=NONE_YET, rules=None, classes=CLASSES):
    now = CreditNow(rules or CreditByCorrelation(none_at=-1.0), classes, opening)
    found = [now.shares]
    for marks in path:
        now.update(sight(*marks))
        found.append(now.shares)
    return found


@pytest.mark.parametrize(
    ("marks", "share"),
    [
        ((100, 100, 7, 7), 1.0), ((101, 103, 7, 7), 1.0), ((101, 100, 7, 7), 0.5),
        ((100, 99, 7, 7), 0.5), ((101, 99, 7, 7), 0.0),
    ],
)  # fmt: skip
def test_before_any_move_all_is_credited_and_half_when_one_alone_has_moved(marks, share):
    """From -1 to 1 a correlation of 0 counts half; who is in no class or alone counts whole."""
    first, second = shares([marks])
    assert first == [1.0] * 4
    assert second == [share, share, 1.0, 1.0]


def test_the_correlation_is_of_returns_weighted_by_age():
    """A half-life of 4 s in steps of 2; the calm volatility of before counts as correlated."""
    rules = CreditByCorrelation(half_life_seconds=4.0, none_at=-0.5, whole_at=0.75)
    opening = Opening(2.0, [100, 200, 1, 1], [0.01, 0.03, 0.0, 0.0])
    path = [(101, 199, 1, 1), (99, 210, 1, 1), (104, 205, 1, 1), (104, 190, 1, 1)]
    kept, last = power(0.5, 0.5), (100, 200)
    own, other, joint = 0.01**2, 0.03**2, 0.01 * 0.03
    expected = [1.0]
    for marks in path:
        x, y = (marks[0] - last[0]) / last[0], (marks[1] - last[1]) / last[1]
        own = kept * own + (1 - kept) * x * x
        other = kept * other + (1 - kept) * y * y
        joint = kept * joint + (1 - kept) * x * y
        rho = joint / math.sqrt(own * other)
        expected.append(min(1.0, max(0.0, (rho + 0.5) / 1.25)))
        last = marks[:2]
    found = [pair[:2] for pair in shares(path, opening, rules)]
    assert found == [pytest.approx([share, share]) for share in expected]
    assert len({round(share, 6) for share in expected}) > 3


def test_the_pair_that_moves_together_least_speaks_for_its_class_alone():
    found = shares([(101, 99, 101, 101)], classes=[0, 0, 0, 3])[-1]
    assert found == [0.0, 0.0, 0.0, 1.0]
    apart = shares([(101, 99, 101, 101)], classes=[0, 1, 0, 1])[-1]
    assert apart == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("correlation", "share"), [(-1.0, 0.0), (0.2, 0.0), (0.3, 0.25), (0.6, 1.0), (1.0, 1.0)]
)
def test_the_credit_grows_in_a_line_between_its_bounds(correlation, share):
    assert CreditByCorrelation(none_at=0.2, whole_at=0.6).share(correlation) == share
