"""What every closure policy has: numbers for its kernel, and the kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from stresslab.core.declarations import declared, param
from stresslab.liquidation.closures.legs import LEGS

MICRO = 1_000_000


@declared
class Closure(ABC):
    """A policy for the pools of one margin mode; a round calls its rule once for all of them.

    The rule, ``rule(accounts, tables, terms, marks, pools, orders)``, adds forced orders for the
    pools in breach, with ``terms`` of :class:`stresslab.liquidation.closing.Terms`.
    """

    #: Whether pools compete for what may be closed, so that the most urgent must come first.
    is_rationed: ClassVar[bool] = False
    #: Whether it asks what legs need by brackets, which a portfolio margined as a whole does not.
    measures_legs: ClassVar[bool] = False
    #: Name in :data:`LEGS` of how legs are ranked.
    leg: ClassVar[str] = "largest_maintenance"

    def numbers(self, step_seconds: float) -> tuple[int, ...]:
        """Return the policy's own numbers for its rule: steps, micro-USD and rates in 1e-9."""
        return ()

    def window_steps(self, step_seconds: float) -> int:
        """Return over how many steps the use of each market is remembered, 0 for none."""
        return 0

    @staticmethod
    @abstractmethod
    def rule() -> Callable[..., None]:
        """Return the compiled rule."""


@declared
class LegByLeg(Closure):
    """A policy that closes one leg of a pool in a round."""

    measures_legs: ClassVar[bool] = True

    leg: str = param(  # type: ignore[misc]
        "Which leg of a pool is closed first; ties go to the earlier asset",
        default="largest_maintenance",
        choices=tuple(LEGS),
    )
