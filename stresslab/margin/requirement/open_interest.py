"""Initial margin that grows with open interest, up to the whole notional."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from stresslab.core.declarations import declared, param
from stresslab.core.rational import Number
from stresslab.margin.initial_margin import scaled_initial_rate
from stresslab.margin.requirement.add_on import RATE_UNIT
from stresslab.margin.requirement.part import Opening, Running, Sight

MICRO = 1_000_000


@declared
class OpenInterest:
    """Initial rates grow in a line to 1 between two caps; maintenance stands (dYdX v4).

    Open interest is the long positions of the traders at the mark. Orders meet the rates that were
    set after the last step's orders.
    """

    lower_cap_usd: float = param(
        "Open interest from which initial margin grows", unit="USD", ge=0, le=1e13
    )
    upper_cap_usd: float = param(
        "Open interest at which a position must be paid in full", unit="USD", ge=0, le=1e13
    )
    assets: tuple[str, ...] = param(
        "Perpetuals whose margin it changes; empty is all", factory=tuple
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.upper_cap_usd < self.lower_cap_usd:
            yield (
                "upper_cap_usd",
                f"{self.upper_cap_usd:g} USD is below the lower cap, {self.lower_cap_usd:g} USD",
            )

    def running(self, opening: Opening) -> Running:
        """Return the part at work; before the first step nothing is open."""
        return _Scaled(self, len(opening.prices))


class _Scaled:
    """Open interest so far, and the rates that it asks for."""

    def __init__(self, rules: OpenInterest, n_assets: int) -> None:
        caps = rules.lower_cap_usd, rules.upper_cap_usd
        self._lower, self._upper = (Fraction(str(cap)) * MICRO for cap in caps)
        self._grown: list[Number] = [0] * n_assets  # rates that begin at 0, of the notional

    def update(self, sight: Sight) -> None:
        self._grown = [
            scaled_initial_rate(0, interest, self._lower, self._upper)
            for interest in sight.open_interest()
        ]

    def initial(self, asset: int, rate: int) -> int:
        """Return what a rate grows by: its distance to 1 shrinks as that of a rate at 0 does."""
        grown = self._grown[asset]
        return -(-(RATE_UNIT - rate) * grown.numerator // grown.denominator)

    def maintenance(self, asset: int) -> int:
        return 0
