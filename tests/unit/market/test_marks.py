"""Mark prices: the formula of each rule, and who moved them, to the tick."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.declarations import build
from stresslab.core.events import CAUSE_ID, CAUSES
from stresslab.market.marks import MarkBoard
from stresslab.market.median_mark import make_board
from stresslab.market.rules import MarkRules

INDEX, VOLUNTARY, ROUNDING = (CAUSE_ID[c] for c in ("index", "voluntary", "rounding"))
SOMEONE = len(CAUSES) + 7  # liquidation 7


def board(rule="mid", *, step_seconds=1.0, ticks=10_000, **parameters):
    return MarkBoard(
        build(MarkRules, {"rule": rule, **parameters}), np.array([ticks]), step_seconds
    )


def moves(marks, *, index=0.0, book=0.0, cause=VOLUNTARY, time_passes=True):
    """Move index and book by ticks, then the mark; return (mark, shares)."""
    marks.index_moved(0, index)
    marks.book_moved(0, cause, book)
    shares = marks.update(0, time_passes=time_passes)
    return int(marks.ticks[0]), shares


def test_the_index_rule_sees_the_index_alone():
    assert moves(board("index"), index=-500.0, book=90.0) == (9500, {INDEX: -500.0})


@pytest.mark.parametrize("rule", ["mid", "blend", "median"])
def test_marks_stand_unless_something_has_stirred_them(rule):
    rules = build(MarkRules, {"rule": rule, "half_life_seconds": 10.0})
    marks = make_board(rules, np.array([10_000] * 4), 1.0)
    assert marks.stirred() == []
    marks.book_moved(3, VOLUNTARY, -80.0)
    marks.index_moved(1, -50.0)
    assert marks.stirred() == [1, 3]
    for asset in range(4):
        marks.update(asset, time_passes=True)
    is_lagging = rule != "mid"  # what the average has not taken in yet moves the mark later
    assert marks.stirred() == ([1, 3] if is_lagging else [])
    before = marks.ticks.copy()
    assert [marks.update(asset, time_passes=True) for asset in (0, 2)] == [None, None]
    assert marks.ticks.tolist() == before.tolist()


@pytest.mark.parametrize("rule", ["mid", "last"])
def test_the_book_rules_see_the_book_alone(rule):
    assert moves(board(rule), index=-500.0, book=90.0) == (10_090, {VOLUNTARY: 90.0})


def test_a_blend_weighs_index_and_book():
    """0.75 of the index and 0.25 of the book."""
    found = moves(board("blend", index_weight=0.75), index=-400.0, book=-800.0)
    assert found == (10_000 - 300 - 200, {INDEX: -300.0, VOLUNTARY: -200.0})


def test_an_average_takes_in_half_of_the_basis_each_half_life():
    """The book falls by 800 at once; the mark follows by 400, 200, 100."""
    marks = board("blend", half_life_seconds=1.0)
    first = moves(marks, book=-800.0, cause=SOMEONE)
    later = [moves(marks) for _ in range(2)]
    assert first == (9600, {SOMEONE: -400.0})
    assert later == [(9400, {SOMEONE: -200.0}), (9300, {SOMEONE: -100.0})]
    slow = board("blend", half_life_seconds=2.0)
    assert moves(slow, book=-800.0)[0] == round(10_000 - 800 * (1 - math.sqrt(0.5)))


def test_an_average_passes_the_index_through_at_once():
    """The basis is what is averaged: an index that moves with the book moves the mark at once."""
    marks = board("blend", half_life_seconds=10.0)
    mark, shares = moves(marks, index=-600.0, book=-600.0)
    assert mark == 9400
    assert shares[INDEX] == pytest.approx(-600 + 600 * (1 - 0.5**0.1))
    assert shares[VOLUNTARY] == pytest.approx(-600 * (1 - 0.5**0.1))


def test_a_lagged_mark_carries_the_tags_of_its_sources():
    """Two liquidations displaced the book steps ago; each later move is theirs, two to one."""
    marks = board("blend", half_life_seconds=5.0, index_weight=0.5)
    marks.book_moved(0, SOMEONE, -4000.0)
    marks.book_moved(0, SOMEONE + 1, -2000.0)
    for _ in range(6):
        mark, shares = moves(marks)
        assert mark < 10_000
        assert shares[SOMEONE] == pytest.approx(2 * shares[SOMEONE + 1])
        assert set(shares) <= {SOMEONE, SOMEONE + 1, ROUNDING}


def test_rounds_inside_a_step_take_no_time():
    marks = board("blend", half_life_seconds=1.0)
    assert moves(marks, book=-800.0, time_passes=False) == (10_000, None)
    assert moves(marks)[0] == 9600
    at_once = board("mid")
    assert moves(at_once, book=-800.0, time_passes=False)[0] == 9200


def test_a_move_below_half_a_tick_waits_and_is_not_lost():
    marks = board("mid")
    assert moves(marks, book=0.4) == (10_000, None)
    assert moves(marks, book=0.4, cause=SOMEONE) == (
        10_001, {VOLUNTARY: 0.4, SOMEONE: 0.4, ROUNDING: pytest.approx(0.2)},
    )  # fmt: skip
    assert moves(marks, book=0.2) == (10_001, None), "what was rounded up is given back"


def test_contributions_too_small_to_matter_end_up_in_rounding():
    """After 40 half-lives nothing is left of 50 ticks: no later move is blamed on who made them."""
    marks = board("blend", half_life_seconds=1.0)
    moves(marks, book=-50.0, cause=SOMEONE)
    for _ in range(40):
        moves(marks)
    assert abs(moves(marks, index=-300.0)[1][SOMEONE]) < 0.5, "the part of a tick not yet seen"
    assert moves(marks, index=-300.0)[1].keys() <= {INDEX, ROUNDING}


def test_a_mark_never_falls_below_one_tick():
    marks = board("mid", ticks=100)
    mark, shares = moves(marks, book=-5000.0)
    assert mark == 1 and math.fsum(shares.values()) == -99


ticks = st.floats(-300, 300, allow_nan=False).map(lambda x: round(x, 3))
events = st.tuples(ticks, ticks, st.integers(0, 3), st.booleans())


@given(
    rule=st.sampled_from(["index", "mid", "blend"]),
    weight=st.floats(0, 1),
    half_life=st.sampled_from([0.0, 0.5, 3.0, 60.0]),
    path=st.lists(events, min_size=1, max_size=40),
)
def test_shares_sum_to_every_move_and_rounding_stays_within_a_tick(rule, weight, half_life, path):
    marks = board(rule, index_weight=weight, half_life_seconds=half_life, ticks=100_000)
    start, total = 100_000, 0
    causes: dict[int, float] = {}
    for index, book, cause, time_passes in path:
        before = int(marks.ticks[0])
        after, shares = moves(marks, index=index, book=book, cause=SOMEONE + cause,
                              time_passes=time_passes)  # fmt: skip
        if shares is None:
            assert after == before
            continue
        assert after != before
        assert math.fsum(shares.values()) == pytest.approx(after - before, abs=1e-10)
        assert abs(shares.get(ROUNDING, 0.0)) <= 1.0 + 1e-6
        assert 0.0 not in shares.values()
        for c, share in shares.items():
            causes[c] = causes.get(c, 0.0) + share
        total += after - before
    assert start + total == marks.ticks[0]
    assert math.fsum(causes.values()) == pytest.approx(total, abs=1e-9)
    assert abs(causes.get(ROUNDING, 0.0)) <= 0.5 + 1e-6, "over a whole path, half a tick"
