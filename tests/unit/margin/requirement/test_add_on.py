"""Add-ons: what a reading asks for, and how fast they get there."""

from __future__ import annotations

import math

import pytest

from stresslab.core.portable import power
from stresslab.margin.requirement.add_on import RATE_UNIT, AddOn, Followed
from stresslab.margin.requirement.announced import Announced
from stresslab.margin.requirement.depth import Depth
from stresslab.margin.requirement.open_interest import OpenInterest
from stresslab.margin.requirement.part import Opening, Sight
from stresslab.margin.requirement.volatility import Volatility

ONE = AddOn(multiple=1.0)
OPENING = Opening(2.0, [100, 200], [0.01, 0.02])


def sight(seconds=0.0, marks=(100, 200), index=(100, 200), depth=(0.0, 0.0), interest=(0, 0)):
    return Sight(seconds, [*marks], [*index], lambda: [*depth], lambda: [*interest])


@pytest.mark.parametrize(
    ("reading", "asked"), [(0.0, 0.02), (0.1, 0.02), (0.11, 0.02), (0.12, 0.04), (0.2, 0.2),
                           (0.25, 0.3), (0.26, 0.3)],
)  # fmt: skip
def test_an_add_on_lies_between_its_floor_and_its_cap(reading, asked):
    rule = AddOn(multiple=2.0, above=0.1, floor=0.02, cap=0.3)
    assert rule.target(reading) == round(asked * RATE_UNIT)


def test_an_add_on_moves_no_faster_than_its_limits_and_always_gets_there():
    rule = AddOn(multiple=1.0, rise_per_second=0.01, fall_per_second=0.002)
    held = Followed(rule, [0.1, 0.0], 3.0)
    assert held.now == [10**8, 0]
    path = []
    for readings in ([0.2, 0.02], [0.2, 0.02], [0.0, 0.02], [0.0, 0.0]):
        held.follow(readings)
        path.append([x / 10**6 for x in held.now])
    assert path == [[130, 20], [160, 20], [154, 20], [148, 14]]
    slow = Followed(AddOn(multiple=1.0, rise_per_second=1e-10, fall_per_second=1e-10), [0.0], 1.0)
    for expected in (1, 2):
        slow.follow([0.1])
        assert slow.now == [expected]
    slow.follow([0.0])
    assert slow.now == [1]


def test_without_limits_it_is_there_at_once_and_without_a_rule_nowhere():
    held = Followed(AddOn(multiple=1.0, cap=1.0), [0.0], 1.0)
    for reading in (1.0, 0.0, 0.5):
        held.follow([reading])
        assert held.now == [reading * RATE_UNIT]
    none = Followed(None, [0.5, 0.5], 1.0)
    none.follow([1.0, 1.0])
    assert none.now == [0, 0]


@pytest.mark.parametrize(
    ("over", "shares"), [(0.0, (0, 0, 1, 1, 1)), (10.0, (0, 0, 0, 0.5, 1)), (5.0, (0, 0, 0, 1, 1))]
)
def test_an_announcement_begins_at_its_time_and_is_whole_at_its_end(over, shares):
    rules = Announced(initial=0.2, maintenance=0.1, at_seconds=5.0, over_seconds=over)
    part = rules.running(OPENING)
    assert (part.initial(0, 10), part.maintenance(0)) == (0, 0), "before the first step"
    for seconds, share in zip((0.0, 4.99, 5.0, 10.0, 15.0), shares, strict=True):
        part.update(sight(seconds))
        assert part.initial(1, 10) == round(0.2 * share * RATE_UNIT)
        assert part.maintenance(1) == round(0.1 * share * RATE_UNIT)


def test_depth_is_averaged_by_its_half_life_and_an_empty_side_asks_for_all():
    """Of 50,000 USD, one per cent over the depth: 500 over 1,000 is a half."""
    plain = Depth(initial=ONE, notional_usd=50_000.0).meter(OPENING)
    assert plain.first == [0.0, 0.0]
    assert plain.read(sight(depth=(1000.0, 0.0))) == [0.5, math.inf]
    assert plain.read(sight(depth=(2000.0, 4000.0))) == [0.25, 0.125]
    assert plain.read(sight(depth=(0.5, 1.0))) == [1000.0, 500.0]
    slow = Depth(initial=ONE, notional_usd=50_000.0, half_life_seconds=2.0).meter(OPENING)
    assert slow.read(sight(depth=(1000.0, 400.0))) == [0.5, 1.25]
    assert slow.read(sight(depth=(3000.0, 400.0))) == [0.25, 1.25]
    quarter = Depth(initial=ONE, notional_usd=50_000.0, half_life_seconds=1.0).meter(OPENING)
    quarter.read(sight(depth=(1000.0, 400.0)))
    assert quarter.read(sight(depth=(5000.0, 400.0)))[0] == 500 / (0.25 * 1000 + 0.75 * 5000)


@pytest.mark.parametrize("price", ["mark", "index"])
@pytest.mark.parametrize("estimator", ["ewma", "realised"])
def test_volatility_is_that_of_returns_over_the_horizon(price, estimator):
    """Steps of 2 s, a horizon of 8: twice a step's; the other price never moves."""
    rules = Volatility(initial=ONE, estimator=estimator, price=price, half_life_seconds=4.0,
                       window_seconds=6.0, horizon_seconds=8.0)  # fmt: skip
    meter = rules.meter(OPENING)
    assert meter.first == [0.02, 0.04]
    squares, kept, before = [[0.01**2] * 3, [0.02**2] * 3], power(0.5, 0.5), [100, 200]
    fading = [0.01**2, 0.02**2]
    for path in ((110, 200), (99, 190), (99, 250), (120, 251)):
        found = meter.read(sight(**{"marks" if price == "mark" else "index": path}))
        for a in (0, 1):
            square = ((path[a] - before[a]) / before[a]) ** 2
            squares[a] = [*squares[a][1:], square]
            fading[a] = kept * fading[a] + (1 - kept) * square
            mean = math.fsum(squares[a]) / 3 if estimator == "realised" else fading[a]
            assert found[a] == pytest.approx(2 * math.sqrt(mean), rel=1e-12)
        before = list(path)


def test_a_window_holds_one_return_at_least():
    rules = Volatility(initial=ONE, estimator="realised", window_seconds=0.5, horizon_seconds=2.0)
    meter = rules.meter(OPENING)
    assert meter.read(sight(marks=(110, 200))) == pytest.approx([0.1, 0.0])
    assert meter.read(sight(marks=(110, 220))) == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize(
    ("interest", "grown"), [(0, 0), (100, 0), (150, 0.25), (200, 0.5), (300, 1), (400, 1)]
)
def test_open_interest_takes_the_rate_to_one_between_its_caps(interest, grown):
    """A rate of a tenth, of 0, and of one; rounded up to 1e-9; maintenance stands."""
    part = OpenInterest(lower_cap_usd=100.0, upper_cap_usd=300.0).running(OPENING)
    assert part.initial(1, 10**8) == 0
    part.update(sight(interest=(0, interest * 10**6)))
    assert part.initial(1, 10**8) == grown * 9 * 10**8 and part.initial(0, 10**8) == 0
    assert part.initial(1, 0) == grown * 10**9 and part.initial(1, 10**9) == 0
    assert part.initial(1, 999_999_999) == math.ceil(grown)
    assert part.maintenance(1) == 0
