"""From seconds to steps."""

from __future__ import annotations

import math


def steps_of(seconds: float, step_seconds: float) -> int:
    """Return how many whole steps cover a time.

    >>> steps_of(30.0, 1.0), steps_of(31.0, 2.0), steps_of(0.3, 0.1)
    (30, 16, 3)
    """
    return math.ceil(round(seconds / step_seconds, 9))
