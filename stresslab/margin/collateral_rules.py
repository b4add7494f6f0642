"""What a config says about spot as collateral: haircuts that grow with the size held."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from stresslab.core.declarations import declared, param


@declared
class HaircutTier:
    """One slice of a holding's value, from its floor to the next one's."""

    floor_usd: float = param("Value above which the slice begins", unit="USD", ge=0)
    haircut: float = param(
        "Part of the slice that does not count as collateral", unit="of value", ge=0, le=1
    )


@declared
class CollateralRules:
    """How much a spot asset counts as collateral of a cross pool.

    Each slice of the value is cut at its own rate, as in the discount tables of OKX; one haircut is
    a table of one slice. The haircut is the asset's maintenance margin, so a pool with enough
    collateral keeps its positions when the collateral is worth less, and no longer.
    """

    haircut: float | None = param(
        "Part of the value that does not count, whatever the size",
        unit="of value",
        default=None,
        ge=0,
        le=1,
    )
    tiers: tuple[HaircutTier, ...] = param(
        "Haircut by slices of the value, rising floors from 0, instead of one haircut", default=()
    )
    initial_addition: float = param(
        "Part of the value that does not count either when a perpetual is opened",
        unit="of value",
        default=0.0,
        ge=0,
        le=1,
        source="Derive, portfolio margin risk manager 2: initial haircuts come on top",
    )

    @property
    def slices(self) -> tuple[HaircutTier, ...]:
        """The table of slices, whichever way it was written."""
        return self.tiers or (HaircutTier(floor_usd=0.0, haircut=self.haircut or 0.0),)

    def faults(self) -> Iterator[tuple[str, str]]:
        if (self.haircut is None) == (not self.tiers):
            yield "", "needs either haircut or tiers, and not both"
        if self.tiers and self.tiers[0].floor_usd != 0:
            yield (
                "tiers.0.floor_usd",
                f"{self.tiers[0].floor_usd:g} is not 0 USD, where the first must start",
            )
        for place, (low, high) in enumerate(itertools.pairwise(self.tiers), start=1):
            if high.floor_usd <= low.floor_usd:
                yield (
                    f"tiers.{place}.floor_usd",
                    f"{high.floor_usd:g} USD is not above the floor before, {low.floor_usd:g} USD",
                )
            if high.haircut <= low.haircut:
                yield (
                    f"tiers.{place}.haircut",
                    f"{high.haircut:g} is not above the haircut before, {low.haircut:g}",
                )
