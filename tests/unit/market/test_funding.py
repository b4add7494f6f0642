"""The funding rate and the premium it is made from."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.market.funding import PremiumAverage, funding_rate
from stresslab.market.rules import FundingRules

RULES = build(FundingRules, {"interest_rate": 0.0001, "clamp": 0.0005, "cap": 0.02})


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0.0, 0.0001),  # interest alone
        (0.0003, 0.0001),  # within the clamp the rate is the interest
        (-0.0004, 0.0001),
        (0.0006, 0.0001),  # the clamp's last premium
        (0.0016, 0.0011),  # beyond it: premium - clamp
        (-0.0016, -0.0011),
        (0.03, 0.02),  # the cap, both ways
        (-0.03, -0.02),
    ],
)
def test_the_rate_is_premium_plus_clamped_interest_capped(premium, rate):
    assert funding_rate(premium, RULES) == pytest.approx(rate, abs=1e-15)


def test_the_premium_is_the_mean_since_the_last_payment():
    average = PremiumAverage(RULES, 2, 1.0)
    assert average.take() == [0.0, 0.0], "no sample, no premium"
    average.add(np.array([0.01, 0.0]))
    average.add(np.array([0.03, -0.05]))
    assert average.take() == pytest.approx([0.02, -0.025])
    average.add(np.array([0.0, 0.01]))
    assert average.take() == pytest.approx([0.0, 0.01])
    assert average.take() == [0.0, 0.0]
