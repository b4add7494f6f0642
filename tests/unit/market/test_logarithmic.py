"""The logarithmic law is linear in small flows and flat in large ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.market.impact.logarithmic import Logarithmic

LAW = Logarithmic(depth_usd=1e6, bend=0.1)


def move(x: float) -> float:
    return LAW.displacement(x, np.array(LAW.shape()))


def test_it_is_the_published_form() -> None:
    for x in (0.01, 0.3, 7.0):
        expected = math.log(1.01) * math.log(1 + 10 * x) / math.log(11)
        assert move(x) == pytest.approx(expected, rel=1e-12)
        assert move(-x) == -move(x)


def test_twice_a_small_flow_moves_twice_as_far_and_twice_a_large_one_hardly_further() -> None:
    assert move(2e-6) / move(1e-6) == pytest.approx(2.0, rel=1e-4)
    assert move(2e6) - move(1e6) == pytest.approx(move(2e3) - move(1e3), rel=1e-3)
    assert move(2e6) / move(1e6) < 1.05
