"""The laws of cascade sizes against printed numbers and their own equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.contagion.borel import borel_tanner, extinction

#: n -> P(1), P(2), P(3), rounded to five digits.
PRINTED = {0.5: (0.60653, 0.18394, 0.08367), 0.9: (0.40657, 0.14877, 0.08165)}


@pytest.mark.parametrize("ratio", PRINTED)
def test_first_probabilities_are_the_printed_ones(ratio: float) -> None:
    assert borel_tanner(ratio, 1, 3)[1:].round(5).tolist() == list(PRINTED[ratio])


@pytest.mark.parametrize(("ratio", "seeds"), [(0.5, 1), (0.5, 3), (0.7, 1), (0.7, 2)])
def test_mean_and_variance_are_those_of_the_total_progeny(ratio: float, seeds: int) -> None:
    law, size = borel_tanner(ratio, seeds, 3000), np.arange(3001)
    mean = math.fsum((law * size).tolist())
    assert math.fsum(law.tolist()) == pytest.approx(1.0, abs=1e-9)
    assert mean == pytest.approx(seeds / (1 - ratio))
    variance = math.fsum((law * (size - mean) ** 2).tolist())
    assert variance == pytest.approx(seeds * ratio / (1 - ratio) ** 3)


def test_a_supercritical_cascade_has_no_end_with_the_printed_probability() -> None:
    endless = 1 - extinction(np.array([[1.3]]))[0]
    assert endless == pytest.approx(0.42297, abs=5e-6)
    finite = math.fsum(borel_tanner(1.3, 1, 2000).tolist())
    assert 1 - finite == pytest.approx(endless, abs=1e-9)


def test_below_the_threshold_every_cascade_ends() -> None:
    assert extinction(np.array([[0.5, 0.2], [0.3, 0.4]])) == pytest.approx([1.0, 1.0])
