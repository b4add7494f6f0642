"""Parameters of the scenario grid; the defaults are those of the venue's published tests."""

from __future__ import annotations

from collections.abc import Iterator

from stresslab.core.declarations import declared, param

SOURCE = "Derive, portfolio margin risk manager 2, portfolio test cases"


@declared
class VolatilityShock:
    """How far volatility moves up and down, by time to expiry."""

    up: float = param("Rise of volatility at 30 days", default=0.5, ge=0, source=SOURCE)
    down: float = param("Fall of volatility at 30 days", default=0.275, ge=0, source=SOURCE)
    up_floor: float = param(
        "Lowest volatility after a rise", unit="per year", default=0.45, ge=0, source=SOURCE
    )
    short_power: float = param("Power of 30 days over time, up to 30 days", default=0.3)
    long_power: float = param("Power of 30 days over time, beyond 30 days", default=0.13)
    floor_days: float = param("Shortest time to expiry counted", unit="days", default=1.0, gt=0)


@declared
class SkewShock:
    """How far the wings of the volatility surface turn, by log moneyness."""

    linear_cap: float = param("Largest move of the linear turn", default=0.15, ge=0)
    linear_cap_slope: float = param("Change of that cap per root of a year", default=-0.05)
    absolute_cap: float = param("Largest move of the absolute turn", default=0.15, ge=0)
    absolute_cap_slope: float = param("Change of that cap per root of a year", default=-0.05)
    least_width: float = param("Least log moneyness of the cap", symbol="k*", default=0.01, gt=0)
    width_scale: float = param("Scale of the width of the surface", default=4.0, ge=0)
    width_volatility: float = param("Volatility that sets the width", default=0.6, ge=0)
    width_volatility_slope: float = param("Its change per root of a year", default=-0.1)


@declared
class LossFactors:
    """How scenario losses become margin, and how the value of options is discounted in them."""

    maintenance: float = param("Share of the worst loss in maintenance", default=0.8, ge=0)
    initial: float = param("Share of the worst loss in initial margin", default=1.0, ge=0)
    long_discount: float = param("Factor on positive value", symbol="a+", default=0.95, ge=0)
    short_discount: float = param("Factor on negative value", symbol="a-", default=1.04, ge=0)
    long_rate_scale: float = param("Share of the rate that discounts long value", default=1.0)
    long_rate_addition: float = param("Added to that rate", unit="per year", default=0.08)
    short_rate_scale: float = param("Share of the rate that compounds short value", default=0.5)
    short_rate_addition: float = param("Added to that rate", unit="per year", default=0.08)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.initial < self.maintenance:
            yield (
                "initial",
                f"{self.initial:g} is below the maintenance factor, {self.maintenance:g}",
            )


@declared
class ForwardContingency:
    """A charge for the forwards of different expiries moving apart."""

    spot_up: float = param("Spot after a rise", unit="of spot", default=1.045, gt=1)
    spot_down: float = param("Spot after a fall", unit="of spot", default=0.955, gt=0, lt=1)
    addition: float = param("Charge at expiry", unit="of the loss", default=0.5, ge=0)
    slope: float = param("Charge per year to expiry", unit="of the loss", default=2.0, ge=0)


@declared
class Contingencies:
    """Charges on notional that no scenario shows; initial ones come on top of maintenance."""

    peg_threshold: float = param("Stablecoin price below which losses grow", default=0.98, ge=0)
    peg_factor: float = param("Growth of the initial factor per unit below it", default=2.0, ge=0)
    confidence_threshold: float = param("Oracle confidence below which is charged", default=0.55)
    confidence_margin: float = param("Charge per unit of doubt", unit="of notional", default=1.0)
    perpetual_maintenance: float = param("Perpetuals", unit="of notional", default=0.015, ge=0)
    perpetual_initial: float = param("Perpetuals, added", unit="of notional", default=0.005, ge=0)
    short_maintenance: float = param("Naked short options", unit="of notional", default=0.003, ge=0)
    short_initial: float = param("Naked short options, added", unit="of notional", default=0.002)


@declared
class GridParameters:
    """All parameters of the scenario grid but the scenarios."""

    volatility: VolatilityShock = param("Moves of volatility", factory=VolatilityShock)
    skew: SkewShock = param("Turns of the volatility surface", factory=SkewShock)
    losses: LossFactors = param("From losses to margin", factory=LossFactors)
    forward: ForwardContingency = param("Forward contingency", factory=ForwardContingency)
    contingencies: Contingencies = param("Other contingencies", factory=Contingencies)
