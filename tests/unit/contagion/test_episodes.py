"""Episodes end after a quiet time and may be cut short by the end of the run."""

from __future__ import annotations

import pytest

from stresslab.contagion import Tables
from stresslab.contagion.episodes import episodes, quiet_steps
from tests.unit.contagion.cases import liquidation, tables


def log(*spells: tuple[int, int], steps: int = 40, open_last: bool = False) -> Tables:
    rows = [
        liquidation(number, step=first, end_step=last)
        for number, (first, last) in enumerate(spells)
    ]
    if open_last:
        rows[-1]["outcome"] = "open"
    totals = [{"step": step, "seconds": 0.5 * (step + 1)} for step in range(steps)]
    return tables(totals=totals, liquidations=rows)


def test_a_gap_of_k_quiet_steps_ends_an_episode() -> None:
    found = episodes(log((0, 2), (1, 5), (15, 15), (26, 26)), quiet=10)
    assert found.of.tolist() == [0, 0, 0, 1]
    assert found.first_step.tolist() == [0, 26]
    assert found.last_step.tolist() == [15, 26]
    assert found.is_complete.tolist() == [True, True]


def test_ten_quiet_steps_lie_between_steps_four_and_fifteen() -> None:
    assert len(episodes(log((4, 4), (14, 14)), quiet=10).first_step) == 1
    assert len(episodes(log((4, 4), (15, 15)), quiet=10).first_step) == 2


def test_an_episode_near_the_end_is_cut_short() -> None:
    found = episodes(log((3, 3), (30, 30)), quiet=10)
    assert found.is_complete.tolist() == [True, False]


def test_an_open_liquidation_lasts_to_the_end() -> None:
    found = episodes(log((3, 0), open_last=True), quiet=10)
    assert found.last_step.tolist() == [39]
    assert found.is_complete.tolist() == [False]


@pytest.mark.parametrize(("seconds", "steps"), [(30.0, 60), (0.7, 2), (0.0, 1)])
def test_the_quiet_time_is_in_seconds(seconds: float, steps: int) -> None:
    assert quiet_steps(log((0, 0)), seconds) == steps


def test_no_liquidation_no_episode() -> None:
    assert len(episodes(log(), quiet=10).first_step) == 0
