"""The statistics of the experiment on leverage and its bands, on samples whose tails are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from stresslab.validation.experiments.leverage_tails import VALUE, statistics
from stresslab.validation.leverage_bands import BANDS, LEVEL, RUNS, Band
from stresslab.validation.stylised.moments import hill


@pytest.mark.parametrize("exponent", [2.0, 4.0])
def test_the_tail_of_a_pareto_law_has_its_exponent(exponent: float) -> None:
    shares = (np.arange(200_000) + 0.5) / 200_000
    assert hill(shares ** (-1 / exponent), 0.05) == pytest.approx(exponent, rel=1e-3)


def test_only_falls_that_begin_below_value_make_the_tail() -> None:
    """Above value prices halve now and then; below it they never move by more than a hundredth."""
    rng = np.random.Generator(np.random.Philox(key=5))
    below = 0.5 * VALUE * np.exp(0.01 * rng.random(3000))
    above = 3.0 * VALUE * np.where(rng.random(3000) < 0.02, 0.5, 1.0)
    calm = statistics(below[np.newaxis])
    both = statistics(np.stack([below, above]))
    assert calm["Hill 5 %"] > 5
    assert both["Hill 5 %"] == calm["Hill 5 %"]
    assert both["excess kurtosis"] > calm["excess kurtosis"] + 10


def test_sizes_that_repeat_every_ten_steps_are_remembered_at_that_lag() -> None:
    moves = np.tile([0.05, *[0.01, -0.015] * 4, 0.01], 400)
    logs = np.cumsum(moves * np.linspace(1.0, 1.001, moves.size))
    found = statistics(VALUE * np.exp(logs - logs.max() - 1.0)[np.newaxis])
    assert found["ACF abs r, lag 10"] == pytest.approx(1.0, abs=0.01)
    assert found["ACF abs r, lag 1"] < 0


def test_one_more_run_lies_in_its_band_as_often_as_the_level_says() -> None:
    """Of runs drawn from a normal law, at a level that can be counted and at that of the bands."""
    assert Band(0.0, 1.0).tolerance() == pytest.approx(
        t.isf(LEVEL / 2, RUNS - 1) * math.sqrt(1 + 1 / RUNS), rel=1e-9
    )
    edge = Band(2.0, 0.5).tolerance(spread=1.5)
    assert Band(2.0, 0.5).chance(2.0 + edge, spread=1.5) == pytest.approx(LEVEL, rel=1e-6)
    rng = np.random.Generator(np.random.Philox(key=8))
    runs = rng.standard_normal((40_000, RUNS + 1))
    off = abs(runs[:, 0] - runs[:, 1:].mean(axis=1)) / runs[:, 1:].std(axis=1, ddof=1)
    assert np.mean(off > 4.0) == pytest.approx(0.00273, abs=0.001)  # what four deviations leave out
    assert np.mean(off > Band(0.0, 1.0).tolerance()) < 5e-4


def test_the_logarithm_of_a_lognormal_statistic_has_its_band() -> None:
    rng = np.random.Generator(np.random.Philox(key=9))
    drawn = np.exp(1.0 + 0.5 * rng.standard_normal(400_000))
    made = Band(float(drawn.mean()), float(drawn.std())).log
    assert made.mean == pytest.approx(1.0, abs=0.01)
    assert made.deviation == pytest.approx(0.5, abs=0.01)


def test_bands_tell_the_limits_apart() -> None:
    low, high = BANDS[1.0]["Hill 5 %"], BANDS[10.0]["Hill 5 %"]
    assert low.mean - low.tolerance() > high.mean + high.tolerance()
