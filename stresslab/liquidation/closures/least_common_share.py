"""Least common share: of every leg the same share, the least that restores the pool."""

from __future__ import annotations

from collections.abc import Callable

from stresslab.core.declarations import declared
from stresslab.liquidation.closures.closure import Closure


@declared
class LeastCommonShare(Closure):
    """Of every leg the same share, the fewest permille that restore the pool.

    For pools that scenarios margin: closing one leg of a hedge raises the requirement of the rest,
    so all are cut together, as at Paradex, in finer steps: at the round's marks, after the expected
    fee and penalty; lots are rounded up, and the whole pool is closed when no share is enough.
    """

    @staticmethod
    def rule() -> Callable[..., None]:
        from stresslab.liquidation.closures.kernels.least_common_share import close_least_share

        return close_least_share
