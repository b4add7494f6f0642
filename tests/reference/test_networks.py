"""Losses on exposure networks against published and hand-computed cases (a ring of three banks).

The ring is that of the public NEVA data: equity 1 each, A has lent 0.5 to B, B to C and C to A;
what they owe in all is 9.5, 4.5 and 2.5.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.contagion.networks import (
    debtrank,
    eisenberg_noe,
    furfine,
    is_stable,
    linear_debtrank,
    spectral_radius,
)
from stresslab.core.errors import StresslabError

RING = 0.5 * np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
ONES = np.ones(3)
OWED = np.array([9.5, 4.5, 2.5])


def close(found: np.ndarray, expected: list[float]) -> bool:
    return bool(np.allclose(found, expected, rtol=0, atol=1e-9))


def test_linear_debtrank_of_one_bank_walks_round_the_ring_once() -> None:
    """A loses all, C half of its equity, B a quarter, A an eighth more."""
    assert close(linear_debtrank(RING, ONES, np.array([1.0, 0, 0])), [-0.125, 0.75, 0.5])


def test_a_uniform_shock_is_amplified_by_two() -> None:
    assert close(linear_debtrank(RING, ONES, 0.25 * ONES), [0.5, 0.5, 0.5])
    assert spectral_radius(RING) == pytest.approx(0.5)
    assert is_stable(RING, ONES)
    assert not is_stable(2 * RING, ONES)


def test_eisenberg_noe_shares_what_is_left_among_all_creditors() -> None:
    found = eisenberg_noe(RING, ONES, 1.2 * ONES, OWED)
    assert np.allclose(found, [-0.226932084309, -0.242388758782, -0.211943793911], atol=1e-9)
    a, b, c = found  # and the equations hold
    assert close(found, [-0.2 + 0.5 * b / 4.5, -0.2 + 0.5 * c / 2.5, -0.2 + 0.5 * a / 9.5])
    one = eisenberg_noe(RING, ONES, np.array([1.5, 0.5, 0]), OWED)
    assert close(one, [-0.5, 0.5, 1 - 0.5 * 0.5 / 9.5])


def test_who_owes_more_than_he_has_lost_pays_nothing_and_no_less() -> None:
    """B is 9 short and owes 4.5: A gets nothing of its 0.5, and pays C in full."""
    assert close(eisenberg_noe(RING, ONES, np.array([0, 10.0, 0]), OWED), [0.5, -9.0, 1.0])


def test_furfine_loses_nothing_before_default_and_all_after() -> None:
    assert close(furfine(RING, ONES, ONES), [0, 0, 0])
    assert close(furfine(RING, ONES, 1.2 * ONES), [-0.7, -0.7, -0.7])
    assert close(furfine(RING, ONES, np.array([1.5, 0.5, 0])), [-0.5, 0.5, 0.5])


def test_debtrank_of_2012_passes_distress_on_once() -> None:
    """A fails: C is hit by half, B by a quarter; A has spoken and is not asked again."""
    added, level = debtrank(RING, ONES, np.array([1.0, 0, 0]), ONES / 3)
    assert close(level, [1.0, 0.25, 0.5])
    assert added == pytest.approx(0.25)
    added, level = debtrank(RING, ONES, np.array([0.5, 0, 0]), ONES / 3)
    assert close(level, [0.5625, 0.125, 0.25]), "it comes round to A, and is not passed on again"
    assert added == pytest.approx((0.0625 + 0.125 + 0.25) / 3)


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_more_shock_never_helps_and_labels_do_not_matter(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    exposures = rng.uniform(0, 0.9 / n, (n, n)) * (1 - np.eye(n))
    equity, shock = rng.uniform(0.5, 2, n), rng.uniform(0, 1, n)
    order = rng.permutation(n)
    for valued in (
        linear_debtrank,
        furfine,
        lambda *given: eisenberg_noe(*given, np.full(n, 3.0)),
    ):
        plain, worse = valued(exposures, equity, shock), valued(exposures, equity, shock + 0.1)
        assert (plain <= equity - shock + 1e-12).all()
        assert (worse < plain).all()
        swapped = valued(exposures[np.ix_(order, order)], equity[order], shock[order])
        assert np.allclose(swapped, plain[order], atol=1e-12)


def test_nobody_and_nonsense() -> None:
    nothing = np.zeros(0)
    assert linear_debtrank(np.zeros((0, 0)), nothing, nothing).size == 0
    assert spectral_radius(np.zeros((0, 0))) == 0.0
    with pytest.raises(StresslabError, match=r"must be \(n, n\), \(n,\) and \(n,\)"):
        furfine(np.zeros((2, 3)), ONES, ONES)
    with pytest.raises(StresslabError, match="not negative"):
        furfine(-RING, ONES, ONES)
