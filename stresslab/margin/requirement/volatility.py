"""Margin that grows with volatility: of the mark or the index, weighted by age or in a window."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from stresslab.core.declarations import declared, param
from stresslab.margin.requirement.part import FollowingPart, Opening, Sight


@declared
class Volatility(FollowingPart):
    """The reading is the standard deviation of a price over a horizon, ``σ · sqrt(h / step)``.

    ``ewma`` is the exponentially weighted mean of squared simple returns, ``realised`` their plain
    mean over the last window; neither takes off the mean return. Before the first step both know
    the calm volatility of the index model only.
    """

    estimator: str = param("Estimator of volatility", default="ewma", choices=("ewma", "realised"))
    price: str = param("Price whose volatility is read", default="mark", choices=("mark", "index"))
    half_life_seconds: float = param(
        "Half-life of a squared return in `ewma`", unit="s", default=600.0, gt=0
    )
    window_seconds: float = param(
        "Length of the window of `realised`", unit="s", default=600.0, gt=0, le=1e6
    )
    horizon_seconds: float = param(
        "Time over which a position may have to be closed", unit="s", symbol="h", default=60.0, gt=0
    )

    def meter(self, opening: Opening) -> _Meter:
        from stresslab.core.portable import power  # here, so that checking a config is quick

        variances = [calm**2 for calm in opening.calm_volatility]
        if self.estimator == "realised":
            n_steps = max(1, round(self.window_seconds / opening.step_seconds))
            return _Meter(self, opening, [_Window(v, n_steps) for v in variances])
        kept = power(0.5, opening.step_seconds / self.half_life_seconds)
        return _Meter(self, opening, [_Fading(v, kept) for v in variances])


class _Meter:
    """Standard deviation over the horizon, step by step."""

    def __init__(
        self, rules: Volatility, opening: Opening, variances: Sequence[_Window | _Fading]
    ) -> None:
        self._use_index = rules.price == "index"
        self._stretch = math.sqrt(rules.horizon_seconds / opening.step_seconds)
        self._last = opening.prices
        self._variances = variances
        self.first = [calm * self._stretch for calm in opening.calm_volatility]

    def read(self, sight: Sight) -> list[float]:
        prices = sight.index if self._use_index else sight.marks
        readings = []
        for variance, old, new in zip(self._variances, self._last, prices, strict=True):
            variance.add(((new - old) / old) ** 2)
            readings.append(math.sqrt(variance.value) * self._stretch)
        self._last = prices
        return readings


class _Fading:
    """Exponentially weighted mean of squared returns."""

    def __init__(self, calm: float, kept: float) -> None:
        self.value, self._kept = calm, kept

    def add(self, square: float) -> None:
        self.value = self._kept * self.value + (1.0 - self._kept) * square


class _Window:
    """Mean of the squared returns of the last steps; the time before was calm."""

    def __init__(self, calm: float, n_steps: int) -> None:
        self._squares = deque([calm] * n_steps, maxlen=n_steps)

    def add(self, square: float) -> None:
        self._squares.append(square)

    @property
    def value(self) -> float:
        return math.fsum(self._squares) / len(self._squares)
