"""How long the engine takes to get round to a pool in breach."""

from __future__ import annotations

import numpy as np

from stresslab.core.portable import log
from stresslab.core.random import Streams, uniforms
from stresslab.core.steps import steps_of


class ExecutionDelay:
    """An exponential time from a pool's first breach to its first forced order.

    A forced order goes out in the first step at or after its time, so never in the step of the
    breach. The wait is addressed by account, step of the breach and pool; a pool that is restored
    meanwhile is not closed, and waits anew when it breaches again.

    Parameters
    ----------
    mean_seconds : mean of the time, 0 for none
    ids : permanent ids of the accounts, shape ``(N,)``
    n_pools : pools, the codes of which are ``pool * N + row``
    """

    def __init__(
        self, mean_seconds: float, ids: np.ndarray, n_pools: int, step_seconds: float,
        streams: Streams,
    ) -> None:  # fmt: skip
        self._mean, self._ids, self._step_seconds = mean_seconds, ids, step_seconds
        self._key = streams["execution_delay"]
        self._due = np.zeros(n_pools if mean_seconds > 0 else 0, np.int64)  # step, by code

    def breached(self, step: int, codes: np.ndarray) -> None:
        """Draw how long pools wait that have just been seen in breach."""
        if self._mean == 0:
            return
        pool, row = np.divmod(codes, self._ids.size)
        for place in np.unique(pool).tolist():
            chosen = np.flatnonzero(pool == place)
            luck = uniforms(self._key, self._ids[row[chosen]], step, place)
            waits = [steps_of(-self._mean * log(u), self._step_seconds) for u in luck.tolist()]
            self._due[codes[chosen]] = step + np.array(waits, np.int64)

    def due(self, step: int, codes: np.ndarray) -> np.ndarray:
        """Return those of the pools in breach whose time has come."""
        return codes if self._mean == 0 else codes[self._due[codes] <= step]
