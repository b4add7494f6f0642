"""The SPAN-like pack: no venue publishes examples of it, so its own arithmetic is held to."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.margin.requirement.part import Opening, Sight
from stresslab.margin.tiers import margin_tables
from tests.reference.venues.engine import EngineAccount, Position, rules_of

CALM = 0.04 / 86_400**0.5  # volatility of a second that makes 4 % a day


def _rates():
    rules = rules_of("span", ["X"])
    tables = margin_tables(rules.margin, ["X"], np.zeros(1, np.int64), np.ones(1, np.int64))
    opening = Opening(1.0, [10_000], [CALM])
    return tables, RatesInForce(rules.margin.requirement, ["X"], tables, opening)


@pytest.mark.parametrize("side", [1, -1])
def test_a_pool_is_in_breach_below_the_scan_range(side):
    account = EngineAccount("span", {"X": Position(side * 10, 100)}, 100)
    assert account.state() == (100_000_000, 90_000_000)
    met = (100 * side - 10) / (side - 0.09)
    assert 0 < (met - account.breach_price()) * side <= 0.0001


def test_the_scan_range_grows_with_volatility_and_no_faster_than_its_limit():
    tables, rates = _rates()
    assert tables.rate[0, 0] == 90_000_000, "4 % a day add nothing"
    seen = []
    for second in range(1, 50):
        marks = [10_000 + 50 * (second % 2)]  # half a percent up and down every second
        rates.update(Sight(float(second), marks, marks, lambda: [0.0], lambda: [0]))
        seen.append(int(tables.rate[0, 0]))
    steps = np.diff([90_000_000, *seen])
    assert seen[-1] > 90_000_000
    assert steps.max() == 100_000 and steps.min() >= 0
    assert (tables.initial[0] - tables.rate[0]).min() > 0
