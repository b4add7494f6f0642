"""Mark prices and, with them, who moved them.

Every rule but the median is one formula: mark = index + (1 - w) · EMA(book price - index). With
w = 1 it is the index, with w = 0 and no averaging the book price itself. Because it is linear, each
cause of a move of the index or of the book keeps its own share of the average, and a lagged mark
still carries the tags of what moved it.
"""

from __future__ import annotations

import math

import numpy as np

from stresslab.core.events import CAUSE_ID
from stresslab.market.rules import MarkRules

_INDEX, _ROUNDING = CAUSE_ID["index"], CAUSE_ID["rounding"]
_FORGOTTEN = 1e-9  # ticks below which a pending share is booked to rounding

Shares = dict[int, float]


class MarkBoard:
    """Mark prices of all assets and the pending contributions of every cause.

    A cause is a number: its place in ``CAUSES``, or ``len(CAUSES)`` plus a liquidation id.
    """

    def __init__(self, rules: MarkRules, index: np.ndarray, step_seconds: float) -> None:
        n_assets = index.size
        self.ticks = index.astype(np.int64).copy()
        self._index_weight = {"index": 1.0, "blend": rules.index_weight}.get(rules.rule, 0.0)
        self._gain = _gain(rules, step_seconds)
        self._exact = [float(ticks) for ticks in index]
        self._pending: list[Shares] = [{} for _ in range(n_assets)]
        self._touched: set[int] = set()  # assets whose index or book has moved since updated
        self._unseen: list[Shares] = [{} for _ in range(n_assets)]

    def index_moved(self, asset: int, ticks: float) -> None:
        """Note a change of the index, in ticks."""
        if ticks != 0:
            add_to(self._unseen[asset], _INDEX, ticks)
            add_to(self._pending[asset], _INDEX, -ticks)
            self._exact[asset] += ticks
            self._touched.add(asset)

    def book_moved(self, asset: int, cause: int, ticks: float) -> None:
        """Note a change of the book price by one cause, in ticks."""
        if ticks != 0:
            add_to(self._pending[asset], cause, ticks)
            self._touched.add(asset)

    def stirred(self) -> list[int]:
        """Return the assets whose marks may move, rising; the marks of the others stand."""
        waiting = {asset for asset, pending in enumerate(self._pending) if pending}
        return sorted(self._touched | waiting)

    def update(self, asset: int, *, time_passes: bool) -> Shares | None:
        """Set the new mark of an asset; return the moves in ticks by cause, None if it stands.

        The moves sum to the change of the mark exactly; what the grid of ticks adds or hides is
        ``rounding``.
        """
        self._touched.discard(asset)
        gain = 1.0 if self._gain == 1.0 else (self._gain if time_passes else 0.0)
        self._absorb(asset, gain)
        target = max(1, round(self._exact[asset]))  # as to_ticks does, halves to even
        move = target - int(self.ticks[asset])
        if move == 0:
            return None
        shares = self._unseen[asset]
        seen = math.fsum(shares.values())
        add_to(shares, _ROUNDING, move - seen)
        self._unseen[asset] = {_ROUNDING: seen - move}
        self.ticks[asset] = target
        return {cause: ticks for cause, ticks in sorted(shares.items()) if ticks != 0}

    def _absorb(self, asset: int, gain: float) -> None:
        """Let the average take in its part of the basis that is still pending, cause by cause."""
        taken = self._take_pending(asset, gain)
        for cause, ticks in taken.items():
            add_to(self._unseen[asset], cause, ticks)
        self._exact[asset] += math.fsum(taken.values())

    def _take_pending(self, asset: int, gain: float) -> Shares:
        """Return what the average takes in, by cause; the rest of it stays pending."""
        weight = (1.0 - self._index_weight) * gain
        pending = self._pending[asset]
        if weight == 0.0 or not pending:
            return {}
        self._pending[asset] = _faded(pending, 1.0 - gain)
        return {cause: weight * ticks for cause, ticks in pending.items()}


def _faded(pending: Shares, factor: float) -> Shares:
    """Return what is still pending; contributions too small to matter are booked to rounding."""
    if factor == 0.0:
        return {}
    faded: Shares = {}
    for cause, ticks in pending.items():
        rest = ticks * factor
        add_to(faded, cause if abs(rest) >= _FORGOTTEN else _ROUNDING, rest)
    return faded


def _gain(rules: MarkRules, step_seconds: float) -> float:
    if rules.rule not in ("blend", "median") or rules.half_life_seconds == 0:
        return 1.0
    return float(1.0 - 0.5 ** (step_seconds / rules.half_life_seconds))


def add_to(shares: Shares, cause: int, ticks: float) -> None:
    """Add ticks to what a cause has moved."""
    shares[cause] = shares.get(cause, 0.0) + ticks
