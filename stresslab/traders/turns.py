"""The calendar of turns: who looks at the market in a step, at a cost of those who do.

Waiting times between a trader's turns are exponential, in microseconds of simulated time, and
addressed by the number of the turn: the same trader acts at the same times whatever the length of
a step. Several turns of one trader in one step are one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.random import exponential

MICROSECONDS = 1_000_000
_NOBODY = -1
NEVER = -1.0  # in place of the seconds between two turns: there is none


class _Calendar(NamedTuple):
    first: np.ndarray  # (n_steps + 1,) a trader with a turn in the step, or _NOBODY
    following: np.ndarray  # (N,) the next trader with a turn in the same step
    time: np.ndarray  # (N,) the trader's next turn, microseconds since the start
    number: np.ndarray  # (N,) number of that turn
    id: np.ndarray  # (N,)
    mean: np.ndarray  # (N,) mean microseconds between turns, 0: a turn every step, < 0: none


class TurnCalendar:
    """Whose turn it is, step by step.

    Parameters
    ----------
    ids : permanent ids of the traders, shape ``(n_traders,)``
    mean_seconds : mean seconds between two turns, 0 for a turn every step, NEVER for none, shape
        ``(n_traders,)``
    n_steps : steps are numbered 1 to ``n_steps``; step 1 covers the first ``step_seconds``
    key : key of the stream ``turn``
    """

    def __init__(
        self,
        ids: np.ndarray,
        mean_seconds: np.ndarray,
        step_seconds: float,
        n_steps: int,
        key: np.ndarray,
    ) -> None:
        self._step = round(step_seconds * MICROSECONDS)
        self._key = key
        self._rows = np.zeros(ids.size, np.int64)
        self._calendar = _Calendar(
            first=np.full(n_steps + 1, _NOBODY, np.int64),
            following=np.full(ids.size, _NOBODY, np.int64),
            time=np.zeros(ids.size, np.int64),
            number=np.zeros(ids.size, np.int64),
            id=ids.astype(np.int64),
            mean=np.rint(mean_seconds * MICROSECONDS).astype(np.int64),
        )
        _first_turns(self._calendar, self._step, key)

    def due(self, step: int) -> np.ndarray:
        """Return the rows whose turn it is in a step, sorted; steps are asked in order, once."""
        n_due = _collect(self._calendar, step, self._step, self._key, self._rows)
        return np.sort(self._rows[:n_due])


@kernel
def _first_turns(calendar: _Calendar, step_length: int, key: np.ndarray) -> None:
    for row in range(calendar.id.size):
        if calendar.mean[row] >= 0:
            _schedule(calendar, row, 0, step_length, key)


@kernel
def _collect(
    calendar: _Calendar, step: int, step_length: int, key: np.ndarray, rows: np.ndarray
) -> int:
    """Fill ``rows`` with the traders of a step and give each its next turn; return their number."""
    n_due = 0
    row = calendar.first[step]
    while row != _NOBODY:
        rows[n_due] = row
        n_due += 1
        row = calendar.following[row]
    for place in range(n_due):
        _schedule(calendar, rows[place], step * step_length, step_length, key)
    return n_due


@kernel
def _schedule(
    calendar: _Calendar, row: int, earliest: int, step_length: int, key: np.ndarray
) -> None:
    """Put a trader's next turn, not before ``earliest``, into the calendar."""
    time = _next_time(calendar, row, earliest, key)
    calendar.time[row] = time
    step = 1 + time // step_length
    if step < calendar.first.size:
        calendar.following[row] = calendar.first[step]
        calendar.first[step] = row


@kernel
def _next_time(calendar: _Calendar, row: int, earliest: int, key: np.ndarray) -> int:
    """Return the time of the next turn, microseconds.

    A second turn within the step is dropped, and the waiting time then starts anew at ``earliest``:
    an exponential wait has no memory.
    """
    mean = calendar.mean[row]
    if mean == 0:
        return earliest
    time = calendar.time[row] + _wait(calendar, row, mean, key)
    if time < earliest:
        time = earliest + _wait(calendar, row, mean, key)
    return time


@kernel
def _wait(calendar: _Calendar, row: int, mean: int, key: np.ndarray) -> int:
    wait = exponential(key, calendar.id[row], calendar.number[row], 0)
    calendar.number[row] += 1
    return math.floor(mean * wait)
