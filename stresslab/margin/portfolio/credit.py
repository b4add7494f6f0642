"""Hedge credit that follows the correlation of marks: what no longer moves together, hedges less.

References
----------
Regulation (EU) 153/2013, article 27: margin may be offset between instruments whose price risks are
significantly and reliably correlated. CME's SPAN credits spreads at rates that are reviewed from
time to time; no venue that we read publishes a formula that acts by itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param

if TYPE_CHECKING:
    from stresslab.margin.requirement.part import Opening, Sight


@declared
class CreditByCorrelation:
    """The part of the hedge credit that counts, ``(ρ - none_at) / (whole_at - none_at)`` in [0, 1].

    ρ is that of the pair of a class that moves together least: exponentially weighted means of
    products of simple mark returns, the mean return not taken off. Before the first step all marks
    count as perfectly correlated.
    """

    half_life_seconds: float = param(
        "Half-life of a product of returns", unit="s", default=600.0, gt=0
    )
    none_at: float = param(
        "Correlation at which nothing is credited", symbol="ρ", default=0.0, ge=-1, lt=1
    )
    whole_at: float = param(
        "Correlation from which the whole credit counts", symbol="ρ", default=1.0, gt=-1, le=1
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.none_at >= self.whole_at:
            yield (
                "none_at",
                f"{self.none_at:g} is not below {self.whole_at:g}, where the whole credit counts",
            )

    def share(self, correlation: float) -> float:
        """Return the part of the credit that counts.

        >>> CreditByCorrelation(none_at=0.5, whole_at=0.9).share(0.7)
        0.5
        """
        above = (correlation - self.none_at) / (self.whole_at - self.none_at)
        return round(min(max(above, 0.0), 1.0), 12)


class CreditNow:
    """The part of every asset's hedge credit that counts now.

    Parameters
    ----------
    classes : first asset of each asset's class, -1 for none, as the grid has it
    """

    def __init__(
        self, rules: CreditByCorrelation, classes: Sequence[int], opening: Opening
    ) -> None:
        from stresslab.core.portable import power  # here, so that checking a config is quick

        self._rules, self._classes = rules, list(classes)
        self._kept = power(0.5, opening.step_seconds / rules.half_life_seconds)
        self._last = opening.prices
        calm, assets = opening.calm_volatility, range(len(self._classes))
        self._products = {
            (a, b): calm[a] * calm[b]
            for a, b in itertools.combinations_with_replacement(assets, 2)
            if self._classes[a] == self._classes[b] >= 0
        }
        self.shares = [1.0 for _ in assets]

    def update(self, sight: Sight) -> None:
        """Take in the marks of a step."""
        moves = [(new - old) / old for old, new in zip(self._last, sight.marks, strict=True)]
        self._last = sight.marks
        for (a, b), product in self._products.items():
            fresh = moves[a] * moves[b]
            self._products[a, b] = self._kept * product + (1.0 - self._kept) * fresh
        lowest = dict.fromkeys(self._classes, 1.0)
        for a, b in self._products:
            group = self._classes[a]
            lowest[group] = min(lowest[group], self._correlation(a, b))
        self.shares = [self._rules.share(lowest[group]) for group in self._classes]

    def _correlation(self, a: int, b: int) -> float:
        """Return ρ; 1 while neither price has moved, 0 while one alone has."""
        own, other = self._products[a, a], self._products[b, b]
        if own == 0.0 or other == 0.0:
            return 1.0 if own == other else 0.0
        return self._products[a, b] / (math.sqrt(own) * math.sqrt(other))
