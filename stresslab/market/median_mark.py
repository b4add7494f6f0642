"""Mark price as the median of three: the index, the index with the average basis, the book price.

A median is not linear, so its moves are split along a path: between two updates all three
candidates are taken to move evenly, and each piece of the way belongs to what moved the candidate
in the middle. Since a median has no jumps, the pieces add up to its move.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from stresslab.core.events import CAUSE_ID
from stresslab.market.marks import MarkBoard, Shares, add_to
from stresslab.market.rules import MarkRules

_INDEX, _SMOOTHED, _BOOK = range(3)


class MedianBoard(MarkBoard):
    """Mark prices of all assets, each the median of its three candidates."""

    def __init__(self, rules: MarkRules, index: np.ndarray, step_seconds: float) -> None:
        super().__init__(rules, index, step_seconds)
        self._candidates = [[float(ticks)] * 3 for ticks in index]
        self._moved: list[tuple[Shares, Shares, Shares]] = [({}, {}, {}) for _ in index]

    def index_moved(self, asset: int, ticks: float) -> None:
        """Note a change of the index, in ticks."""
        if ticks != 0:
            add_to(self._moved[asset][_INDEX], CAUSE_ID["index"], ticks)
            add_to(self._moved[asset][_SMOOTHED], CAUSE_ID["index"], ticks)
            add_to(self._pending[asset], CAUSE_ID["index"], -ticks)
            self._touched.add(asset)

    def book_moved(self, asset: int, cause: int, ticks: float) -> None:
        """Note a change of the book price by one cause, in ticks."""
        if ticks != 0:
            add_to(self._moved[asset][_BOOK], cause, ticks)
            add_to(self._pending[asset], cause, ticks)
            self._touched.add(asset)

    def _absorb(self, asset: int, gain: float) -> None:
        """Move the candidates, and the exact mark with whichever of them is in the middle."""
        moved = self._moved[asset]
        for cause, ticks in self._take_pending(asset, gain).items():
            add_to(moved[_SMOOTHED], cause, ticks)
        if not any(moved):
            return
        before = self._candidates[asset]
        steps = [math.fsum(shares.values()) for shares in moved]
        for candidate, weight in enumerate(shares_of_the_way(before, steps)):
            for cause, ticks in moved[candidate].items():
                add_to(self._unseen[asset], cause, weight * ticks)
        after = [price + step for price, step in zip(before, steps, strict=True)]
        self._candidates[asset] = after
        self._exact[asset] = sorted(after)[1]
        self._moved[asset] = ({}, {}, {})


def make_board(rules: MarkRules, index: np.ndarray, step_seconds: float) -> MarkBoard:
    """Return the mark prices of the configured rule, at the index before the first step."""
    kind = MedianBoard if rules.rule == "median" else MarkBoard
    return kind(rules, index, step_seconds)


def shares_of_the_way(prices: list[float], steps: list[float]) -> list[float]:
    """Return for how much of the way each candidate is the median, while all move evenly.

    Equal candidates go together; the first of them counts.

    >>> shares_of_the_way([100.0, 100.0, 100.0], [0.0, -4.0, -8.0])
    [0.0, 1.0, 0.0]
    >>> shares_of_the_way([100.0, 95.0, 90.0], [0.0, 0.0, 20.0])
    [0.5, 0.25, 0.25]
    """
    times = {0.0, 1.0}
    for one, other in itertools.combinations(range(3), 2):
        closing = steps[one] - steps[other]
        if closing != 0 and 0 < (time := (prices[other] - prices[one]) / closing) < 1:
            times.add(time)
    shares = [0.0, 0.0, 0.0]
    for start, end in itertools.pairwise(sorted(times)):
        middle = (start + end) / 2
        at = [price + middle * step for price, step in zip(prices, steps, strict=True)]
        shares[sorted(range(3), key=lambda k: (at[k], k))[1]] += end - start
    return shares
