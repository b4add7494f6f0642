"""Cascades, growth and hysteresis of theory against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.contagion.networks.debtrank import spectral_radius
from stresslab.contagion.next_generation import type_names
from stresslab.contagion.theory import (
    branches,
    cascade,
    growth_matrix,
    liquidation_map,
    radius_at,
)
from tests.unit.contagion.theory.fields import PRICE, even_field, mirrored, two_assets

ALL = np.array([True])


def fall_ticks(ratio: float, longs: int, shock: float, gap: float = 0.0) -> float:
    venue = even_field(ratio, longs, gap)
    (state,) = cascade(venue, ALL, [shock / PRICE])
    return float(state.falls(venue)[0]) * PRICE


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.8])
def test_an_even_field_falls_by_the_shock_over_one_less_the_ratio(ratio: float) -> None:
    shock = 40.0
    expected = shock / (1 - ratio)
    assert expected < 200 / ratio
    assert fall_ticks(ratio, 200, shock) == pytest.approx(expected, abs=1 / (1 - ratio))


def test_beyond_the_band_everybody_is_closed() -> None:
    """Band of 200 ticks at 0.5: a shock of 150 takes all 100 lots."""
    assert fall_ticks(0.5, 100, 150.0) == pytest.approx(250.0, abs=0.05)


def test_forced_notional_is_what_was_closed_at_its_marks() -> None:
    venue = even_field(0.5, 100)
    (state,) = cascade(venue, ALL, [150.0 / PRICE])
    assert state.accounts(venue) == 100
    assert state.notional[0] == pytest.approx(100 * PRICE, rel=3e-4)
    assert state.notional[0] < 100 * PRICE


def test_the_growth_of_an_even_field_is_its_ratio() -> None:
    for ratio in (0.3, 0.9, 1.3):
        venue = even_field(ratio, 200)
        nothing = np.zeros_like(venue.positions)
        found = radius_at(venue, venue.prices, nothing, move=100 / PRICE)
        assert found == pytest.approx(ratio, rel=1e-6)


def test_longs_grow_downwards_and_shorts_upwards() -> None:
    venue = even_field(0.5, 100)
    names = type_names(["A"])
    for market, side in ((venue, "long"), (mirrored(venue), "short")):
        nothing = np.zeros_like(market.positions)
        matrix = growth_matrix(market, market.prices, nothing, move=100 / PRICE)
        rows, columns = np.nonzero(matrix)
        assert {names[column] for column in columns} == {f"A {side} cross"}
        assert {names[row] for row in rows} == {f"A {side} isolated", f"A {side} cross"}


def test_two_assets_of_one_pool_grow_as_their_matrix() -> None:
    """Ratios [[.5, .2], [.3, .4]] have the spectral radius 0.7 (SCIENCE V2)."""
    ratios = np.array([[0.5, 0.2], [0.3, 0.4]])
    venue = two_assets(ratios)
    nothing = np.zeros_like(venue.positions)
    matrix = growth_matrix(venue, venue.prices, nothing, move=100 / PRICE)
    long_cross = [1, 5]
    assert matrix[np.ix_(long_cross, long_cross)] == pytest.approx(ratios)
    assert spectral_radius(matrix) == pytest.approx(0.7)


def test_two_assets_end_where_the_inverse_says() -> None:
    """A shock of s to the first ends at s (I - N)^-1 in both: 2.5 s and 0.8333 s."""
    venue = two_assets(np.array([[0.5, 0.2], [0.3, 0.4]]))
    (state,) = cascade(venue, np.array([True, False]), [100 / PRICE])
    assert state.falls(venue) * PRICE == pytest.approx([250.0, 83.333], rel=1e-3)


def test_a_dense_band_below_a_gap_has_two_ends() -> None:
    """Ratio 1.5 over a width of 200 after a gap of 150: bistable from 150 - 0.5 * 200 to 150."""
    venue = even_field(1.5, 300, gap=150.0)
    sizes = [size / PRICE for size in (20.0, 60.0, 140.0, 160.0)]
    found = branches(venue, ALL, sizes)
    assert found.standing * PRICE == pytest.approx([20.0, 60.0, 140.0, 460.0], abs=0.2)
    assert found.fallen * PRICE == pytest.approx([20.0, 360.0, 440.0, 460.0], abs=2.0)
    assert ((found.fallen - found.standing) * PRICE > 5).tolist() == [False, True, True, False]


def test_below_a_ratio_of_one_there_is_one_end() -> None:
    found = branches(even_field(0.5, 200), ALL, [50 / PRICE, 100 / PRICE])
    assert (found.fallen - found.standing) * PRICE == pytest.approx([0.0, 0.0], abs=4.0)
    assert not found.is_bistable.any()


def test_the_map_counts_what_lies_within_a_move() -> None:
    venue = even_field(0.5, 100)
    found = liquidation_map(venue, 0, np.array([-100 / PRICE, -1.0 + 1e-9, 0.1]))
    assert found.sum(axis=1) == pytest.approx([50 * PRICE, 100 * PRICE, 0.0])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 1.5), st.integers(1, 80), st.lists(st.floats(1, 300), min_size=2, max_size=5))
def test_falls_and_closures_only_grow_with_the_shock(
    ratio: float, longs: int, sizes: list[float]
) -> None:
    venue = even_field(ratio, longs)
    states = cascade(venue, ALL, [size / PRICE for size in sorted(sizes)])
    falls = [float(state.falls(venue)[0]) for state in states]
    closed = [float(state.closed.sum()) for state in states]
    assert falls == sorted(falls) and closed == sorted(closed)
    assert all(
        fall >= size / PRICE - 1e-12 for fall, size in zip(falls, sorted(sizes), strict=True)
    )


@pytest.mark.parametrize("longs", [0, 1])
def test_no_account_and_one_account(longs: int) -> None:
    venue = even_field(0.5, longs)
    (state,) = cascade(venue, ALL, [3 / PRICE])
    assert state.accounts(venue) == longs
    assert state.falls(venue)[0] * PRICE == pytest.approx(3.0 + longs)
    nothing = np.zeros_like(venue.positions)
    assert radius_at(venue, venue.prices, nothing, move=10 / PRICE) == pytest.approx(longs / 10)
