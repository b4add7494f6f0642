"""What a config says about chains other than the venue's: how value there counts and comes over."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param


@declared
class Chain:
    """A chain on which accounts keep part of their wealth, and the way from it to the venue."""

    haircut: float = param(
        "Part of a reserve on the chain that does not count as collateral; 1 counts nothing, and "
        "then the venue cannot seize it either",
        unit="of value",
        default=1.0,
        ge=0,
        le=1,
    )
    in_flight_haircut: float = param(
        "Part of value on its way to the venue that does not count",
        unit="of value",
        default=1.0,
        ge=0,
        le=1,
    )
    delay_seconds: float = param("Median time of a transfer", unit="s", ge=0, le=1e7)
    delay_sigma: float = param(
        "Standard deviation of the log of that time", symbol="σ", default=0.0, ge=0, le=5
    )
    congestion: float = param(
        "Growth of the time by each transfer in flight on the chain, those sent together included",
        unit="per transfer",
        default=0.0,
        ge=0,
        le=1000,
    )
    fee_usd: float = param("Fee of a transfer", unit="USD", default=0.0, ge=0, le=1e6)
    fee_rate: float = param(
        "Fee in proportion to what is sent", unit="of value", default=0.0, ge=0, lt=1
    )
    failure_probability: float = param(
        "Chance that a transfer returns to the reserve, its fee lost", default=0.0, ge=0, le=1
    )

    @property
    def is_at_hand(self) -> bool:
        """Whether value comes over at once, for nothing and for sure: then it counts in full."""
        return (
            self.delay_seconds == 0
            and self.fee_usd == 0
            and self.fee_rate == 0
            and self.failure_probability == 0
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.in_flight_haircut > self.haircut:
            yield (
                "in_flight_haircut",
                f"{self.in_flight_haircut:g} is above the haircut of a reserve, {self.haircut:g}: "
                "an account would lose margin by sending",
            )
