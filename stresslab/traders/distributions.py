"""Distributions of wealth and leverage, each a declared class with its quantile function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from stresslab.core.declarations import declared, param


class Wealth(Protocol):
    """What a distribution of wealth must do."""

    def usd(self, uniform: float) -> float:
        """Return the wealth below which a share ``uniform`` of the traders lies, USD."""


@declared
class Equal:
    """Everybody has the same."""

    amount_usd: float = param("Wealth of every trader", unit="USD", gt=0, le=1e10)

    def usd(self, uniform: float) -> float:
        return self.amount_usd


@declared
class Lognormal:
    """The logarithm of wealth is normal."""

    median_usd: float = param("Median wealth", unit="USD", gt=0, le=1e10)
    sigma: float = param("Standard deviation of log wealth", default=1.0, ge=0, le=5)
    cap_usd: float = param("Largest wealth", unit="USD", default=1e9, gt=0, le=1e10)

    def usd(self, uniform: float) -> float:
        from stresslab.core.portable import exp, normal_quantile

        return float(
            min(self.median_usd * exp(self.sigma * normal_quantile(uniform)), self.cap_usd)
        )


@declared
class Pareto:
    """Wealth has a power tail, cut off at a cap: P(wealth > w) ~ w^-tail."""

    minimum_usd: float = param("Smallest wealth", unit="USD", gt=0, le=1e10)
    tail: float = param(
        "Tail exponent; below 1 the mean would be infinite without the cap",
        symbol="α",
        default=0.8,
        gt=0,
        le=10,
        source="Hill estimate of account values, Hyperliquid auto-deleveraging, 10 October 2025: "
        "0.82 at the top 1 %",
    )
    cap_usd: float = param("Largest wealth", unit="USD", default=1e8, gt=0, le=1e10)

    def usd(self, uniform: float) -> float:
        from stresslab.core.portable import power

        beyond_cap = power(self.minimum_usd / self.cap_usd, self.tail)
        survival = 1.0 - uniform * (1.0 - beyond_cap)
        return float(self.minimum_usd / power(survival, 1.0 / self.tail))

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.cap_usd <= self.minimum_usd:
            yield (
                "cap_usd",
                f"{self.cap_usd:g} USD is not above minimum_usd, {self.minimum_usd:g} USD",
            )


@declared
class Uniform:
    """All wealth between two bounds is equally likely."""

    minimum_usd: float = param("Smallest wealth", unit="USD", gt=0, le=1e10)
    maximum_usd: float = param("Largest wealth", unit="USD", gt=0, le=1e10)

    def usd(self, uniform: float) -> float:
        return self.minimum_usd + uniform * (self.maximum_usd - self.minimum_usd)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.maximum_usd < self.minimum_usd:
            yield (
                "maximum_usd",
                f"{self.maximum_usd:g} USD is below minimum_usd, {self.minimum_usd:g} USD",
            )


WEALTH: dict[str, type] = {
    "equal": Equal,
    "lognormal": Lognormal,
    "pareto": Pareto,
    "uniform": Uniform,
}


@declared
class Leverage:
    """The logarithm of target leverage is normal, cut off on both sides."""

    median: float = param("Median target leverage", unit="x of equity", default=1.0, gt=0, le=200)
    sigma: float = param("Standard deviation of log leverage", default=0.0, ge=0, le=5)
    minimum: float = param("Smallest leverage", unit="x of equity", default=0.01, gt=0, le=200)
    cap: float = param("Largest leverage", unit="x of equity", default=125.0, gt=0, le=200)

    def of(self, uniform: float) -> float:
        """Return the leverage below which a share ``uniform`` of the traders lies."""
        from stresslab.core.portable import exp, normal_quantile

        leverage = self.median * exp(self.sigma * normal_quantile(uniform))
        return float(min(max(leverage, self.minimum), self.cap))

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.cap < self.minimum:
            yield "cap", f"{self.cap:g} x is below minimum, {self.minimum:g} x"
