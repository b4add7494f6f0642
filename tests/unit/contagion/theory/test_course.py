"""Shocks step by step, by hand: two accounts, one stop, a book of known depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.contagion.theory import Course, Venue, cascade, unfold
from stresslab.contagion.theory.cascade import FIRST_INCREMENT, State
from tests.unit.contagion.theory.fields import PRICE, even_field

ALL = np.array([True])
LOTS = np.array([[10.0], [8.0]])  # the stop's account, and the other
BREACHES = np.array([[40.0], [12.0]])  # ticks below the first mark


def course(venue: Venue, **changes: Any) -> Course:
    """Return a course of one step with a book of any size that forgets nothing, and no stops."""

    def due(prices: np.ndarray, sold: np.ndarray, cash: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(venue.closed_at(prices) != 0, venue.positions - sold, 0.0))

    plain = Course(
        steps=1,
        after=0,
        kept=1.0,
        factor=venue.factor,
        resting=np.full((2, len(venue.assets)), np.inf),
        stops=np.zeros_like(venue.positions),
        due=due,
    )
    return replace(plain, **changes)


def fallen(shock: float, stop: float | None = None, **changes: Any) -> tuple[float, State]:
    """Return the fall of the mark in ticks, a lot sold moving it by one, and the state."""
    venue = replace(
        even_field(1.0, 2),
        positions=LOTS,
        closed_at=lambda prices: LOTS * (PRICE - prices[0] > BREACHES),
    )
    stops = np.array([[0.0 if stop is None else PRICE - stop], [0.0]])
    state = unfold(venue, course(venue, stops=stops, **changes), ALL, shock / PRICE)
    return float(state.falls(venue)[0]) * PRICE, state


def test_a_stop_brings_down_another_account() -> None:
    """Index -6; the stop at -5 sells 10 lots, mark -16; the other account sells 8 there: -24."""
    assert fallen(6.0)[0] == pytest.approx(6.0)
    fall, state = fallen(6.0, stop=5.0)
    assert fall == pytest.approx(24.0, rel=1e-4)
    assert state.closed.ravel().tolist() == [0.0, 8.0]
    assert state.breached.tolist() == [False, True]
    assert state.notional[0] == pytest.approx(8 * (PRICE - 16), rel=1e-9)


def test_what_a_stop_has_sold_cannot_be_liquidated() -> None:
    """The index falls by 60, tick by tick: the stop sells at -5 what would be closed at -41."""
    assert fallen(60.0, steps=60)[1].closed.ravel().tolist() == [10.0, 8.0]
    assert fallen(60.0, stop=5.0, steps=60)[1].closed.ravel().tolist() == [0.0, 8.0]


def test_liquidation_comes_before_a_stop_that_the_same_mark_reaches() -> None:
    assert fallen(60.0, stop=5.0)[1].closed.ravel().tolist() == [10.0, 8.0]


def test_a_stop_sells_once_and_takes_what_rests() -> None:
    """Bids for 4 lots: the stop sells 4 at -6, and its account the other 6 by force at -41."""
    bids = np.array([[4.0], [np.inf]])
    fall, state = fallen(6.0, stop=5.0, resting=bids)
    assert fall == pytest.approx(10.0, rel=1e-4)
    assert not state.closed.any()
    closed = fallen(44.0, stop=5.0, resting=bids, steps=44, kept=0.0)[1].closed
    assert closed.ravel().tolist() == [6.0, 8.0]


def test_the_book_forgets_from_step_to_step() -> None:
    """Index -6, then -12: the other account breaches beyond -12 only if the stop is still felt."""
    assert (
        fallen(12.0, stop=5.0, steps=2, resting=np.full((2, 1), 5.0), kept=0.0)[1].closed.sum() == 0
    )
    fall, state = fallen(12.0, stop=5.0, steps=2, resting=np.full((2, 1), 5.0), kept=0.5)
    assert state.closed.ravel().tolist() == [0.0, 2.5]
    assert fall == pytest.approx(12.0 + 2.5 + 2.5, rel=1e-4)


def test_what_waits_is_sold_when_the_book_has_filled_up_again() -> None:
    """18 lots in breach, bids for 4: half of what was taken comes back in each later step."""
    bids = np.array([[4.0], [np.inf]])
    sold = [fallen(60.0, resting=bids, kept=0.5, after=n)[1].closed.sum() for n in (0, 1, 2, 50)]
    assert sold == pytest.approx([4.0, 6.0, 8.0, 18.0])


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 1.3), st.integers(1, 60), st.floats(1, 20_000))
def test_without_stops_and_recovery_it_is_the_slow_cascade_bit_for_bit(
    ratio: float, longs: int, ticks: float
) -> None:
    venue, size = even_field(ratio, longs), ticks / PRICE
    steps = max(1, round(np.ceil(size / FIRST_INCREMENT - 1e-9)))
    (slow,) = cascade(venue, ALL, [size])
    found = unfold(venue, course(venue, steps=steps), ALL, size)
    for name in ("closed", "notional", "breached", "paid", "prices"):
        assert getattr(found, name).tobytes() == getattr(slow, name).tobytes(), name
    assert found.rounds == slow.rounds
