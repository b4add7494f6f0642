"""Margin that grows as the book thins: what closing a position of reference would cost."""

from __future__ import annotations

import math

from stresslab.core.declarations import declared, param
from stresslab.margin.requirement.part import FollowingPart, Opening, Sight

REACH = 0.01  # depth is what moves the price by this much


@declared
class Depth(FollowingPart):
    """The reading is the slippage of a reference position, ``1 % · notional / depth``.

    Depth is that of the thinner side within 1 % of the mark, since a long sells into the bids and a
    short buys from the asks. An empty side asks for the cap. The slippage of a book that is deep
    enough is left to the brackets (``above``). Before the first step it is taken to be 0.
    """

    notional_usd: float = param(
        "Position of reference, whose closing the add-on pays for", unit="USD", gt=0, le=1e12
    )
    half_life_seconds: float = param(
        "Half-life of the average of depth; 0 follows at once", unit="s", default=0.0, ge=0
    )

    def meter(self, opening: Opening) -> _Meter:
        return _Meter(self, opening)


class _Meter:
    """Slippage of the reference position at the average depth so far."""

    def __init__(self, rules: Depth, opening: Opening) -> None:
        from stresslab.core.portable import power  # here, so that checking a config is quick

        half_life = rules.half_life_seconds
        self._kept = power(0.5, opening.step_seconds / half_life) if half_life else 0.0
        self._reach = REACH * rules.notional_usd
        self._depth: list[float] = []
        self.first = [0.0] * len(opening.prices)

    def read(self, sight: Sight) -> list[float]:
        now = sight.depth_usd()
        before = self._depth or now
        self._depth = [
            self._kept * old + (1.0 - self._kept) * new
            for old, new in zip(before, now, strict=True)
        ]
        return [self._reach / depth if depth > 0 else math.inf for depth in self._depth]
