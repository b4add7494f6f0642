"""The spread of counts that the Hawkes experiment expects, against sums step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.contagion.borel import borel_tanner
from stresslab.validation.experiments.hawkes import DELAY, Case, error_by_counts, fano

CASE = Case(runs=1, markets=1, ratio=0.5, rate=0.2, warm_up=0.0, seconds=0.0, window=0.0, step=0.25)


@pytest.mark.parametrize(("ratio", "step"), [(0.5, 0.25), (0.9, 0.5), (0.8, 1.5)])
@pytest.mark.parametrize("steps", [1, 7, 60])
def test_the_spread_is_that_of_what_surprises_bring_about(
    ratio: float, step: float, steps: int
) -> None:
    """A count off its mean by one brings about so many more events in each later step.

    Surprises of different steps are independent, each with a variance of the mean count.
    """
    stays = math.exp(-step / DELAY)
    brought = np.zeros(600)
    brought[0] = 1.0
    for k in range(1, brought.size):
        waits = (1 - stays) * stays ** np.arange(k)[::-1]
        brought[k] = ratio * waits @ brought[:k]
    assert brought.sum() == pytest.approx(1 / (1 - ratio), rel=1e-6)
    within = [brought[max(0, k - steps + 1) : k + 1].sum() for k in range(brought.size)]
    expected = float(np.sum(np.square(within))) / steps
    case = CASE._replace(ratio=ratio, step=step)
    assert fano(case, steps * step) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.5, 0.8])
def test_the_error_of_n_by_counts_has_the_cumulants_of_borel_clusters(ratio: float) -> None:
    """In a window the number of clusters is Poisson, so that cumulants are moments of sizes."""
    sizes, law = np.arange(3001.0), borel_tanner(ratio, 1, 3000)
    clusters = CASE.rate * 40.0
    mean, second, third, fourth = (clusters * float(law @ sizes**k) for k in (1, 2, 3, 4))
    of_variance = (fourth + 2 * second**2) / second**2  # of the log, times windows
    of_mean, of_both = second / mean**2, third / (second * mean)
    error = (1 - ratio) / 2 * math.sqrt((of_variance + of_mean - 2 * of_both) / 90)
    found = error_by_counts(CASE._replace(ratio=ratio, window=40.0), 90)
    assert found == pytest.approx(error, rel=1e-6)
