"""Scores of warnings, and the robust-yet-fragile curve: by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.analysis.fragility import fragility
from stresslab.analysis.warning import auc
from tests.unit.analysis.outcome_frames import arms

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=30)


def test_pairs_that_are_told_apart() -> None:
    """Of 2 x 2 pairs the case is higher in 3: 0.75; a tie counts half."""
    assert auc([1, 3, 2, 4], [False, False, True, True]).mid == 0.75
    assert auc([1, 1], [False, True]).mid == 0.5
    assert auc([1, 2], [True, True]).mid is None
    assert auc([], []).mid is None


@given(PAIRS)
def test_the_area_is_the_share_of_pairs(pairs: list[tuple[int, bool]]) -> None:
    scores, happened = [float(s) for s, _ in pairs], [h for _, h in pairs]
    cases = [s for s, h in pairs if h]
    controls = [s for s, h in pairs if not h]
    found = auc(scores, happened)
    if not cases or not controls:
        assert found.mid is None
        return
    won = np.mean([(a > b) + 0.5 * (a == b) for a in cases for b in controls])
    assert found.mid == pytest.approx(won)
    assert found.low is not None and found.high is not None
    assert found.low <= found.mid <= found.high
    against = auc([-score for score in scores], happened).mid
    assert against == pytest.approx(1 - found.mid)


def test_frequency_and_conditional_extent() -> None:
    """Two of four exceed 5 %: frequency 1/2, extent their mean 0.5 and not 0.26."""
    found = fragility(
        arms("share_accounts_liquidated", cross=[0.0, 0.04, 0.2, 0.8], isolated=[0.0])
    )
    cross, isolated = found.sort("arm").rows(named=True)
    assert (cross["n"], cross["frequency"], cross["extent"]) == (4, 0.5, 0.5)
    assert cross["extent_low"] == 0.2 and cross["extent_high"] == 0.8
    assert cross["frequency_low"] < 0.5 < cross["frequency_high"]
    assert (isolated["frequency"], isolated["extent"]) == (0.0, None)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_extent_of_systemic_cascades_is_systemic(extents: list[float]) -> None:
    (row,) = fragility(arms("share_accounts_liquidated", cross=extents)).rows(named=True)
    assert row["frequency"] == pytest.approx(np.mean([value > 0.05 for value in extents]))
    assert row["extent"] is None or 0.05 < row["extent"] <= 1
