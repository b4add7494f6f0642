"""Gini and Lorenz of losses: closed forms, and what must not matter to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.contagion import Contagion
from stresslab.contagion.measures.concentration import gini, lorenz, lorenz_columns
from stresslab.contagion.outcomes import measure
from tests.unit.contagion.cases import hand_cascade, tables

LOSSES = st.lists(st.integers(0, 10**12), min_size=1, max_size=50)


def test_closed_forms() -> None:
    """All equal: 0. One has all: (n - 1) / n. 1, 2, ..., n: (n - 1) / 3n."""
    assert gini(np.full(7, 3)) == 0.0
    assert gini(np.array([0] * 9 + [5])) == pytest.approx(0.9)
    assert gini(np.arange(1, 101)) == pytest.approx(99 / 300)
    assert lorenz(np.array([3, 1])).tolist() == [0.0, 0.25, 1.0]
    assert math.isnan(gini(np.zeros(3, np.int64)))
    assert math.isnan(gini(np.zeros(0, np.int64)))


@given(LOSSES, st.integers(2, 9))
def test_scale_and_clones_do_not_matter(losses: list[int], times: int) -> None:
    values = np.array(losses)
    if not values.sum():
        return
    assert gini(values * times) == pytest.approx(gini(values))
    assert gini(np.repeat(values, times)) == pytest.approx(gini(values))
    assert 0 <= gini(values) <= 1 - 1 / len(losses) + 1e-12


@given(LOSSES)
def test_gini_is_twice_the_area_above_the_curve(losses: list[int]) -> None:
    values = np.array(losses)
    if not values.sum():
        return
    curve = lorenz(values)
    area = math.fsum(((curve[1:] + curve[:-1]) / 2).tolist()) / len(losses)
    assert gini(values) == pytest.approx(1 - 2 * area, abs=1e-9)


def test_losses_of_the_hand_cascade() -> None:
    """Losses of 1500, 1030, 305 and 605 USD: the formula of ranks."""
    ordered = [305, 605, 1_030, 1_500]
    ranked = sum(rank * loss for rank, loss in enumerate(ordered, start=1))
    found = measure(hand_cascade())
    assert found["loss_gini"] == pytest.approx((2 * ranked - 5 * 3_440) / (4 * 3_440))
    assert found["loss_top_share"] == pytest.approx(1_500 / 3_440)
    columns = lorenz_columns(Contagion(hand_cascade()))
    assert columns["loss_usd"].tolist() == [0, *ordered]
    assert columns["loss_share"][-1] == columns["accounts_share"][-1] == 1.0


def test_nobody_loses_in_an_empty_run() -> None:
    assert math.isnan(measure(tables(assets=[{"asset": 0}]))["loss_gini"])
    assert lorenz_columns(Contagion(tables()))["loss_share"].tolist() == [0.0]
