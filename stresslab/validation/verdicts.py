"""What a validation experiment measures, what it is held against, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Check:
    """One number held against another."""

    what: str
    measured: float
    expected: float
    tolerance: float  # largest |measured - expected| that passes
    unit: str = ""
    #: Probability that a right model fails this check by chance; 0 where nothing is drawn.
    level: float = 0.0
    #: Size of the sample and the deviation that it would find nine times out of ten, in words.
    power: str = ""
    #: Chance of a deviation at least as large if the claim holds; None where nothing is drawn.
    p: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the measured number lies within the tolerance; NaN never does."""
        return abs(self.measured - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Distance:
    """How far the model is from an empirical fact: told, not judged."""

    what: str
    measured: float
    low: float  # of the fact's band or interval
    high: float
    unit: str = ""
    #: Bootstrap interval of what was measured, over replicates; none where nothing is repeated.
    interval: tuple[float, float] | None = None

    @property
    def distance(self) -> float:
        """Return 0 inside the band, else how far outside, in widths of the band."""
        outside = max(self.low - self.measured, self.measured - self.high, 0.0)
        width = self.high - self.low
        return outside / width if width > 0 else outside and math.inf


@dataclass(frozen=True)
class Series:
    """Numbers over a common axis: dots are measured, a line is expected; either has an interval."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    is_expected: bool = False
    low: Sequence[float] = ()  # interval of y, where there is one
    high: Sequence[float] = ()
    has_bars: bool = False  # each dot has an interval of its own, drawn as a bar; else one band


@dataclass(frozen=True)
class Panel:
    """One chart of an experiment."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_scale: str = "linear"  # or log
    y_scale: str = "linear"


#: Name -> what was counted, for the checks of all seeds together.
Counts = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Result:
    """What one run of an experiment came to."""

    checks: Sequence[Check] = ()
    distances: Sequence[Distance] = ()
    panels: Sequence[Panel] = ()
    facts: Mapping[str, float | int | str] = field(default_factory=dict)  # sizes, counts, seeds
    counts: Counts = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether all checks passed and there was something to check or tell."""
        return all(check.passed for check in self.checks) and bool(self.checks or self.distances)
