"""Circuit breaker: a market whose mark moves too far in too short a time is halted."""

from __future__ import annotations

from collections import deque

import numpy as np

from stresslab.core.rational import exact
from stresslab.core.steps import steps_of
from stresslab.market.rules import BreakerRules

_NEVER = -(2**40)


class CircuitBreaker:
    """Watches the marks of all assets; ``until`` (A,) are the steps in which halts end.

    A halt begins with the mark that trips it. When it is over, moves are measured anew from the
    first mark after it.
    """

    def __init__(self, rules: BreakerRules | None, n_assets: int, step_seconds: float) -> None:
        self.rules, self.until = rules, np.full(n_assets, _NEVER, np.int64)
        self._none = np.zeros(n_assets, np.bool_)
        self._seen: deque[tuple[int, list[int]]] = deque()
        if rules is not None:
            self._window = steps_of(rules.window_seconds, step_seconds)
            self._length = steps_of(rules.halt_seconds, step_seconds)
            self._move = exact(rules.move)

    def watch(self, step: int, marks: np.ndarray) -> None:
        """Note the marks of a moment, and halt the markets that have moved too far."""
        if self.rules is None:
            return
        while self._seen and self._seen[0][0] < step - self._window:
            self._seen.popleft()
        now = marks.tolist()
        for a, mark in enumerate(now):
            start = int(self.until[a])
            if step >= start and any(
                abs(mark - then[a]) > self._move * then[a] for at, then in self._seen if at >= start
            ):
                self.until[a] = step + self._length
        self._seen.append((step, now))

    def halted(self, step: int) -> np.ndarray:
        """Return which markets are halted for forced orders, shape ``(n_assets,)``."""
        return self._none if self.rules is None else self.until > step

    def closed(self, step: int) -> np.ndarray:
        """Return which markets are halted for every order, shape ``(n_assets,)``."""
        stops_all = self.rules is not None and self.rules.stops == "trading"
        return self.until > step if stops_all else self._none
