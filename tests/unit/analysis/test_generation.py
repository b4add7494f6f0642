"""The next-generation matrix over replicates is a ratio of sums."""

from __future__ import annotations

import polars as pl
import pytest

from stresslab.analysis.generation import next_generation_matrix, spectral_radius
from stresslab.contagion import Contagion
from stresslab.contagion.next_generation import generation_columns
from tests.unit.contagion.cases import hand_cascade
from tests.unit.contagion.test_measures import chain


def rows(*logs) -> pl.DataFrame:
    parts = [pl.DataFrame(generation_columns(Contagion(log))) for log in logs]
    cells = [part.with_columns(cell=pl.lit(str(n))) for n, part in enumerate(parts)]
    return pl.concat(cells)


def test_sums_are_divided_not_ratios_averaged() -> None:
    """Of 60 all but the first are half caused; of 3 two are: (59 + 2) / 2 over 63."""
    names, matrix = next_generation_matrix(rows(chain(60, 0.5), chain(3, 0.5)))
    assert names == ["A long isolated"]
    assert matrix.tolist() == [[pytest.approx(61 / 2 / 63)]]


def test_the_radius_has_an_interval_over_replicates() -> None:
    found = spectral_radius(rows(chain(60, 0.5), chain(3, 0.5), chain(30, 0.9)))
    assert found.low is not None and found.mid is not None and found.high is not None
    assert found.low < found.mid < found.high
    assert found.mid == pytest.approx((61 / 2 + 29 * 0.9) / 93)


def test_a_single_replicate_is_its_own_matrix() -> None:
    found = spectral_radius(rows(hand_cascade()))
    assert found.mid == pytest.approx((700 / 10_400) ** 0.5)
    assert (found.low, found.high) == (None, None)


def test_no_cells_have_no_radius() -> None:
    assert spectral_radius(pl.DataFrame()).mid is None
    assert next_generation_matrix(pl.DataFrame())[1].shape == (0, 0)
