"""The calendar: everybody's turns, at the stated mean, whatever the length of a step."""

from __future__ import annotations

import numpy as np

from stresslab.core.random import Streams
from stresslab.traders.turns import NEVER, TurnCalendar

KEY = Streams(1, 0)["turn"]


def _turns(ids: np.ndarray, mean: float, step_seconds: float, n_steps: int) -> list[np.ndarray]:
    """Return the rows due in steps 1 to n_steps."""
    calendar = TurnCalendar(ids, np.full(ids.size, mean), step_seconds, n_steps, KEY)
    return [calendar.due(step) for step in range(1, n_steps + 1)]


def test_mean_zero_is_a_turn_every_step() -> None:
    for rows in _turns(np.arange(5), 0.0, 0.5, 20):
        assert rows.tolist() == [0, 1, 2, 3, 4]


def test_who_never_has_a_turn_is_not_in_the_calendar() -> None:
    means = np.array([0.0, *[NEVER] * 50, 0.0])
    calendar = TurnCalendar(np.arange(52), means, 1.0, 5, KEY)
    assert [calendar.due(step).tolist() for step in range(1, 6)] == [[0, 51]] * 5


def test_rows_are_sorted_and_appear_once_a_step() -> None:
    turns = _turns(np.arange(300), 1.0, 2.0, 50)
    assert sum(map(len, turns)) > 5_000
    for rows in turns:
        assert (np.diff(rows) > 0).all()


def test_share_of_steps_with_a_turn_is_that_of_exponential_waits() -> None:
    n_traders, n_steps, mean = 400, 500, 10.0
    n_turns = sum(map(len, _turns(np.arange(n_traders), mean, 1.0, n_steps)))

    expected = 1.0 - np.exp(-1.0 / mean)
    error = np.sqrt(expected * (1 - expected) / (n_traders * n_steps))
    assert abs(n_turns / (n_traders * n_steps) - expected) < 4 * error


def test_halving_the_step_moves_no_turn() -> None:
    ids = np.arange(50)
    coarse = _turns(ids, 300.0, 1.0, 200)
    fine = _turns(ids, 300.0, 0.5, 400)

    together = [sorted({*fine[2 * k], *fine[2 * k + 1]}) for k in range(200)]
    assert sum(map(len, together)) > 10
    assert [rows.tolist() for rows in coarse] == together


def test_turns_follow_the_id_not_the_row() -> None:
    ids = np.arange(40)
    order = np.random.default_rng(0).permutation(ids)
    for rows, mixed in zip(
        _turns(ids, 5.0, 1.0, 60), _turns(ids[order], 5.0, 1.0, 60), strict=True
    ):
        assert rows.tolist() == sorted(order[mixed].tolist())
