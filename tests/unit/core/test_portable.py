"""Elementary functions against the C library and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from stresslab.core import portable


def units_in_last_place(got: float, expected: float) -> float:
    return abs(got - expected) / math.ulp(expected)


@given(st.floats(1e-300, 1e300))
def test_log_is_within_one_unit_of_the_last_place(value):
    assert units_in_last_place(portable.log(value), math.log(value)) <= 1.0


@given(st.floats(-700.0, 700.0))
def test_exp_is_within_two_units_of_the_last_place(value):
    assert units_in_last_place(portable.exp(value), math.exp(value)) <= 2.0


def test_exp_refuses_what_it_cannot_return():
    assert portable.exp(-700.1) == 0.0
    for value in (700.1, math.nan):
        with pytest.raises(OverflowError, match="700"):
            portable.exp(value)


@given(st.floats(1e-9, 1e9), st.floats(0.1, 3.0))
def test_power_agrees_with_the_library(base, exponent):
    assert portable.power(base, exponent) == pytest.approx(base**exponent, rel=1e-13)
    assert portable.power(0.0, exponent) == 0.0


def test_the_normal_quantile_agrees_with_scipy_over_centre_and_tails():
    centre = np.linspace(0.001, 0.999, 2001)
    tails = 10.0 ** -np.linspace(3, 300, 500)
    got = [portable.normal_quantile(p) for p in np.concatenate((centre, tails))]

    np.testing.assert_allclose(got, ndtri(np.concatenate((centre, tails))), rtol=5e-15, atol=1e-16)


def test_the_normal_quantile_is_odd():
    for odd in (1, 3, 12345, 2**50 + 1):
        low = odd * 2.0**-53
        assert portable.normal_quantile(low) == -portable.normal_quantile(1.0 - low)
