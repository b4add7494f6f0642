"""What is known about a measure beside its function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stresslab.contagion.projection import Contagion


@dataclass(frozen=True)
class Measure:
    """One column of the outcomes: ``function(contagion)`` gives its value.

    ``unit`` is ``USD``, ``s``, ``1`` (a fraction or a ratio) or what is counted; measures that
    count give ``int``, the others ``float``.
    """

    name: str
    unit: str
    description: str
    function: Callable[[Contagion], int | float]

    @property
    def type(self) -> type:
        return float if self.unit in ("USD", "s", "1") else int
