"""How far a market is from a cascade, against closed forms of the even field."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.contagion.theory import branches, distance_to_cascade, radius_at
from tests.unit.contagion.theory.fields import PRICE, even_field

ALL = np.array([True])


def distance(ratio: float, longs: int, below: float, gap: float = 0.0) -> float:
    """Return the distance in ticks to a mark so many ticks below the index."""
    venue = even_field(ratio, longs, gap)
    return distance_to_cascade(venue, ALL, (below - 0.5) / PRICE, 0.01 / PRICE) * PRICE


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.8])
def test_the_distance_of_an_even_field(ratio: float) -> None:
    """A shock s ends s n / (1 - n) below the index: 40 ticks need a shock of 40 (1 - n) / n."""
    assert distance(ratio, 400, 40.0) == pytest.approx(40 * (1 - ratio) / ratio, abs=1 / ratio)


def test_a_band_above_one_falls_as_soon_as_it_is_reached() -> None:
    """Its first long lies 150 ticks and half a spacing deep."""
    assert distance(1.5, 300, 40.0, gap=150.0) == pytest.approx(150 + 0.5 / 1.5, abs=0.02)


@pytest.mark.parametrize("longs", [0, 1])
def test_too_few_to_fall_so_far(longs: int) -> None:
    assert distance(0.5, longs, 40.0) == math.inf


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 1.5), st.integers(0, 80), st.floats(0, 100), st.floats(1.0, 60.0))
def test_the_nearer_the_longs_the_shorter_the_way(
    ratio: float, longs: int, gap: float, below: float
) -> None:
    near, far = (distance(ratio, longs, below, g) for g in (gap, gap + 10.0))
    assert far >= near >= 0.0
    assert (near == math.inf) == (longs < below - 0.5)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 1.5), st.integers(0, 80), st.floats(0, 100), st.floats(1, 200))
def test_the_fallen_end_is_never_the_higher_one(
    ratio: float, longs: int, gap: float, shock: float
) -> None:
    found = branches(even_field(ratio, longs, gap), ALL, [shock / PRICE])
    assert found.fallen[0] >= found.standing[0] >= shock / PRICE - 1e-12
    assert longs or found.fallen[0] == found.standing[0]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 0.9), st.integers(0, 60), st.integers(1, 4))
def test_growth_is_proportional_to_what_is_due(ratio: float, longs: int, times: int) -> None:
    """Within a move that holds the whole band, growth counts the longs, so many times as many."""
    move = (longs * times / ratio + 10) / PRICE
    few, many = (even_field(ratio, n) for n in (longs, longs * times))
    radii = [radius_at(v, v.prices, np.zeros_like(v.positions), move) for v in (few, many)]
    assert radii[1] == pytest.approx(times * radii[0], abs=1e-12)
    assert radii[0] == pytest.approx(longs / (move * PRICE))
