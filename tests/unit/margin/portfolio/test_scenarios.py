"""The venue's standard grid, move by move, as the venue lists it."""

from __future__ import annotations

import pytest

from stresslab.margin.portfolio.scenarios import standard_scenarios


def moves_of(*names: str) -> list[float]:
    return sorted(
        round(100 * (s.spot_factor - 1), 9)
        for s in standard_scenarios()
        if s.volatility in names and s.damping == 1.0
    )


def test_spot_moves_by_steps_of_four_and_a_half_per_cent_with_each_move_of_volatility():
    inner = [-13.5, -9.0, -4.5, 0.0, 4.5, 9.0, 13.5]
    assert moves_of("none") == moves_of("down") == inner
    assert moves_of("up") == [-18.0, *inner, 18.0]
    assert moves_of("linear") == moves_of("absolute") == [0.0]


def test_tails_count_as_a_fifth_of_the_loss_at_eighteen_per_cent():
    tails = {round(s.spot_factor, 9): s for s in standard_scenarios() if s.damping != 1.0}
    assert sorted(tails) == [0.34, 0.67, 1.5, 2.0, 3.0, 4.0]
    for factor, tail in tails.items():
        assert tail.volatility == "up"
        assert tail.damping == pytest.approx(0.18 * 0.2 / abs(factor - 1))
