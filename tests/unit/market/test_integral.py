"""The area under a law against a series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.market.impact import LAWS
from stresslab.market.impact.formula import formula_of
from stresslab.market.impact.integral import mean_factor
from stresslab.market.impact.law import ONE_PERCENT


@pytest.mark.parametrize("exponent", [0.1, 0.3, 0.5, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("x", [1e-6, 0.1, 1.0, 20.0, -0.1, -20.0])
def test_the_mean_of_a_power_law_is_its_series(exponent, x):
    """The mean of exp(c u**p) over u in (0, 1) is the sum of c**k / (k! (k p + 1))."""
    c = math.copysign(ONE_PERCENT * abs(x) ** exponent, x)
    series = math.fsum(c**k / (math.factorial(k) * (k * exponent + 1)) for k in range(60))

    law = formula_of(LAWS["power"].displacement)
    got = mean_factor(law, np.array([exponent]), x, 0.0)
    assert got == pytest.approx(series, rel=1e-13)
    assert got != 1.0


def test_without_flow_the_mean_is_one():
    law = formula_of(LAWS["exponential"].displacement)
    assert mean_factor(law, np.array([]), 0.0, 0.0) == pytest.approx(1.0, abs=1e-15)
