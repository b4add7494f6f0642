"""Contagion through common assets against closed forms of random bipartite networks."""

from __future__ import annotations

import math

import pytest

from stresslab.contagion.networks import overlap_contagion

#: Mean number of assets, accounts per asset: where everybody falls at a touch, all that counts is
#: who is linked to whom.
AT_A_TOUCH = {"tolerance": 1e-9, "impact": 1.0}


def frequency(mean: float, crowding: float) -> float:
    """Return the chance that a random holder is in the giant component.

    What a link to an asset leads to is finite with chance q = exp(n mu (exp(mu (q - 1)) - 1)).
    """
    q = 0.0
    for _ in range(10_000):
        q = math.exp(crowding * mean * (math.exp(mean * (q - 1)) - 1))
    holders = 1 - math.exp(-mean)
    return 1 - (math.exp(mean * (q - 1)) - math.exp(-mean)) / holders


@pytest.mark.parametrize(("mean", "crowding"), [(1.5, 1.0), (2.5, 1.0), (1.0, 3.0)])
def test_large_contagion_at_a_touch_is_a_giant_component(mean: float, crowding: float) -> None:
    found = overlap_contagion(mean, crowding=crowding, **AT_A_TOUCH)
    assert found.ratio == pytest.approx(crowding * mean**2, rel=0.015)
    assert found.frequency == pytest.approx(frequency(mean, crowding), abs=0.006)
    assert found.mean_fallen == math.inf


@pytest.mark.parametrize(("mean", "crowding"), [(0.5, 1.0), (0.7, 1.0), (0.4, 2.0)])
def test_small_contagion_at_a_touch_is_a_mean_component(mean: float, crowding: float) -> None:
    found = overlap_contagion(mean, crowding=crowding, **AT_A_TOUCH)
    held = mean / (1 - math.exp(-mean))
    assert found.frequency == 0.0
    assert found.ratio == pytest.approx(crowding * mean**2, rel=0.02)
    expected = held * crowding * mean / (1 - crowding * mean**2)
    assert found.mean_fallen == pytest.approx(expected, rel=0.03)


def test_who_can_lose_everything_never_falls() -> None:
    found = overlap_contagion(2.0, tolerance=1.0, impact=5.0)
    assert (found.ratio, found.frequency, found.mean_fallen) == (0.0, 0.0, 0.0)


def test_contagion_grows_with_impact_and_shrinks_with_tolerance() -> None:
    base = overlap_contagion(3.0, 0.1, 1.0)
    assert 0 < base.ratio < overlap_contagion(3.0, 0.1, 1.5).ratio
    assert overlap_contagion(3.0, 0.2, 1.0).ratio < base.ratio
