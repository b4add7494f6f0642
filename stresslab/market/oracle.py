"""The venue's oracle: the index as the venue knows it, late and now and then stale.

Traders and impact books see the index itself; mark prices, funding and stops on the index see
what the oracle has published.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    import numpy as np


@declared
class Outage:
    """A time in which the oracle publishes nothing."""

    at_seconds: float = param("Start of the outage", unit="s", ge=0)
    over_seconds: float = param("Length of the outage", unit="s", gt=0)


@declared
class OracleRules:
    """When the index reaches the venue; without any rule, at once."""

    lag_seconds: float = param(
        "Age of the index when it is published, rounded up to whole steps",
        unit="s",
        default=0.0,
        ge=0,
        le=86_400,
    )
    heartbeat_seconds: float = param(
        "Longest time between two publications; 0 publishes every step",
        unit="s",
        default=0.0,
        ge=0,
        le=86_400,
    )
    deviation: float | None = param(
        "Change of the index since the last publication that publishes before the heartbeat; "
        "without it only the heartbeat does",
        unit="of the price",
        default=None,
        gt=0,
        lt=1,
    )
    outages: dict[str, Outage] = param("Times without publication", factory=dict)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.deviation is not None and self.heartbeat_seconds == 0:
            yield (
                "deviation",
                f"{self.deviation:g} has no meaning where every step publishes; it needs "
                "heartbeat_seconds above 0",
            )

    @property
    def is_immediate(self) -> bool:
        """Whether the venue sees the index itself."""
        return self.lag_seconds == 0 and self.heartbeat_seconds == 0 and not self.outages


def oracle_path(
    index: np.ndarray, rules: OracleRules, step_seconds: float, burn_in_seconds: float = 0.0
) -> np.ndarray:
    """Return what is published at each step, in ticks, ``(n_steps + 1, n_assets)`` like ``index``.

    Outages are timed from the end of the burn-in, as shocks are; the price before the first step
    is known to all.
    """
    import numpy as np  # here, so that checking a config need not load it

    if rules.is_immediate:
        return index
    lag = math.ceil(rules.lag_seconds / step_seconds)
    heartbeat = math.ceil(rules.heartbeat_seconds / step_seconds)
    published, age = index.copy(), np.zeros(index.shape[1], np.int64)
    for step in range(1, len(index)):
        seen = index[max(0, step - lag)]
        age += 1
        due = age >= heartbeat
        if rules.deviation is not None:
            due |= np.abs(seen - published[step - 1]) >= rules.deviation * published[step - 1]
        due &= not _is_silent(rules, step * step_seconds - burn_in_seconds)
        published[step] = np.where(due, seen, published[step - 1])
        age[due] = 0
    return published


def _is_silent(rules: OracleRules, seconds: float) -> bool:
    return any(
        outage.at_seconds <= seconds < outage.at_seconds + outage.over_seconds
        for outage in rules.outages.values()
    )
