"""A cascade in a market whose buyers have limits: what is to be closed and finds nobody waits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.contagion.theory import Venue, branches, cascade
from stresslab.contagion.theory.cascade import State
from tests.unit.contagion.theory.fields import PRICE, even_field, mirrored

ALL = np.array([True])


def limited(venue: Venue, lots: float) -> Venue:
    """Return the market with room for so many lots, bought or sold."""

    def room(flow: np.ndarray, paid: np.ndarray, prices: np.ndarray) -> np.ndarray:
        return np.maximum(np.stack([lots + flow, lots - flow]), 0.0)

    return replace(venue, room=room)


def fallen(venue: Venue, ticks: float) -> State:
    (state,) = cascade(venue, ALL, [ticks / PRICE])
    return state


def test_what_finds_nobody_is_not_closed_and_moves_no_price() -> None:
    """100 longs over 200 ticks, room for 30: a shock of 150 ends at 180, where 90 are in breach."""
    state = fallen(limited(even_field(0.5, 100), 30.0), 150.0)
    assert state.closed.sum() == pytest.approx(30.0)
    assert state.falls(even_field(0.5, 100))[0] * PRICE == pytest.approx(180.0, abs=0.01)
    assert state.accounts(even_field(0.5, 100)) == 90
    assert state.notional[0] == pytest.approx(state.paid[0]) == pytest.approx(30 * PRICE, rel=1e-3)


def test_purchases_make_room_for_sales() -> None:
    """A long and a short breach together: the book passes the lot on and needs room for none."""
    venue = even_field(0.5, 2)
    both = replace(
        venue,
        positions=np.array([[1.0], [-1.0]]),
        closed_at=lambda prices: np.array([[1.0], [-1.0]]) * (prices[0] < PRICE),
    )
    state = fallen(limited(both, 0.0), 1.0)
    assert state.closed.ravel().tolist() == [1.0, -1.0]
    assert state.paid[0] == 0.0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 1.3), st.integers(1, 60), st.floats(0, 60), st.floats(1, 300))
def test_room_only_ever_damps(ratio: float, longs: int, lots: float, shock: float) -> None:
    free, tight = (fallen(limited(even_field(ratio, longs), n), shock) for n in (1e9, lots))
    assert tight.closed.sum() <= min(lots, free.closed.sum()) + 1e-6
    assert tight.prices[0] >= free.prices[0] - 1e-6
    same = fallen(even_field(ratio, longs), shock)
    assert same.closed.tolist() == free.closed.tolist()


def test_shorts_need_sellers() -> None:
    venue = limited(mirrored(even_field(0.5, 100)), 30.0)
    rising = replace(venue, factor=lambda flow: 1.0 + (150.0 + flow) / PRICE)
    (state,) = cascade(rising, np.array([False]), [0.01])
    assert state.closed.sum() == pytest.approx(-30.0)
    assert state.paid[0] < 0


def test_a_fall_that_nobody_could_have_bought_is_no_second_end() -> None:
    """Room for 30 lots brings a shock of 60 to 90 at most: never to the band that begins at 150."""
    dense, sizes = even_field(1.5, 300, gap=150.0), [60.0 / PRICE]
    free = branches(dense, ALL, sizes).fallen * PRICE
    tight = branches(limited(dense, 30.0), ALL, sizes).fallen * PRICE
    assert (float(free[0]), float(tight[0])) == pytest.approx((360.0, 60.0), abs=2.0)
