"""The statistics of the experiment on leverage, on samples whose tails are known."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.validation.experiments.leverage_tails import VALUE, hill, statistics


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
