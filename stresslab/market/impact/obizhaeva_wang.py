"""Transient impact: a block-shaped book that fills up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared, param
from stresslab.core.lazy import lazy_module
from stresslab.market.impact.law import ImpactLaw

if TYPE_CHECKING:
    import numpy as np

portable = lazy_module("stresslab.core.portable")

_LOWEST = 1e-12


@declared
class ObizhaevaWang(ImpactLaw):
    """A book of constant density that recovers: linear in a flow that is forgotten with time.

    The price is ``index · (1 + 0.01 x)`` and x decays exponentially. Of the authors' two parts of
    impact this is the transient one; their permanent part is :class:`Linear` without resilience.

    References
    ----------
    Obizhaeva and Wang (2013), Optimal trading strategy and supply/demand dynamics, Journal of
    Financial Markets 16, 1-32.
    """

    resilience_half_life_seconds: float | None = param(
        "Time in which the book fills up by half", unit="s", gt=0, le=1e9
    )

    @staticmethod
    def displacement(x: float, shape: np.ndarray) -> float:
        """Return ``log(1 + 0.01 x)``; the book keeps the price at one tick or more."""
        return portable.log(max(1.0 + 0.01 * x, _LOWEST))


def optimal_schedule(
    lots: float, n_intervals: int, interval_seconds: float, half_life_seconds: float
) -> list[float]:
    """Return the ``n_intervals + 1`` trades that buy ``lots`` at the least cost.

    The first and the last are equal and large; those between take what the book has recovered.

    References
    ----------
    Obizhaeva and Wang (2013), proposition 1, with no permanent impact and no risk aversion.

    >>> [round(trade, 4) for trade in optimal_schedule(100_000, 2, 1.0, 1.0)]
    [40000.0, 20000.0, 40000.0]
    """
    forgotten = 1.0 - 2.0 ** (-interval_seconds / half_life_seconds)
    end = lots / (2.0 + (n_intervals - 1) * forgotten)
    return [end, *[end * forgotten] * (n_intervals - 1), end]
