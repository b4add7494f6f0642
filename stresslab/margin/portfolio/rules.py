"""What a config says about portfolio margin: scenarios, which assets hedge each other, charges."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from stresslab.core.declarations import declared, param
from stresslab.margin.portfolio.credit import CreditByCorrelation
from stresslab.margin.portfolio.scenarios import DOWN, NONE, UP, standard_scenarios

_SURFACE = (NONE, UP, DOWN)


@declared
class GridScenario:
    """A move of spot and volatility, and the part of the loss that counts.

    Perpetuals and spot do not feel volatility; the moves of volatility stand for venues' grids.
    """

    spot_move: float = param("Move of every price of a class", unit="of price", gt=-1, le=10)
    volatility: str = param("Move of volatility", default=NONE, choices=_SURFACE)
    damping: float = param("Part of the loss that counts", default=1.0, ge=0, le=1)

    @property
    def rate(self) -> Fraction:
        """The move of a value that counts, of the value."""
        return Fraction(str(self.spot_move)) * Fraction(str(self.damping))


def _standard() -> tuple[GridScenario, ...]:
    return tuple(
        GridScenario(
            spot_move=round(scenario.spot_factor - 1, 9),
            volatility=scenario.volatility,
            damping=round(scenario.damping, 12),
        )
        for scenario in standard_scenarios()
        if scenario.volatility in _SURFACE
    )


_DERIVE = "Derive, portfolio margin risk manager 2, portfolio test cases"
_PARADEX = "Paradex, portfolio margin: floor of uf |net| + hf hedged"


@declared
class PortfolioRules:
    """Margin of a cross pool: the worst loss over a grid of scenarios, class by class.

    Assets of a class move together, so that its longs and shorts offset each other by the hedge
    credit; classes add up.
    """

    scenarios: tuple[GridScenario, ...] = param(
        "The grid; it must contain the scenario in which nothing moves", factory=_standard
    )
    classes: dict[str, tuple[str, ...]] = param(
        "Assets that hedge each other, by class; a perpetual in none is a class of its own, a spot "
        "asset in none counts by its haircut only",
        factory=dict,
    )
    move_scale: dict[str, float] = param(
        "Moves of an asset as a multiple of the scenario's", unit="x", factory=dict, gt=0, le=10
    )
    hedge_credit: float = param(
        "Part of the smaller side of a class that offsets the larger", default=1.0, ge=0, le=1
    )
    credit_by_correlation: CreditByCorrelation | None = param(
        "How the hedge credit follows the correlation of marks; empty is not at all", default=None
    )
    break_move: float = param(
        "Correlation break: move of one asset of a class against all others",
        unit="of price",
        default=0.0,
        ge=0,
        le=1,
    )
    maintenance_factor: float = param(
        "Share of the worst loss in maintenance margin", default=0.8, ge=0, le=10, source=_DERIVE
    )
    initial_factor: float = param(
        "Share of the worst loss in initial margin", default=1.0, ge=0, le=10, source=_DERIVE
    )
    perpetual_addition: float = param(
        "Charge on perpetuals", unit="of notional", default=0.015, ge=0, le=1, source=_DERIVE
    )
    perpetual_initial_addition: float = param(
        "The same, added for initial margin",
        unit="of notional",
        default=0.005,
        ge=0,
        le=1,
        source=_DERIVE,
    )
    floor_of_net: float = param(
        "Least requirement of a class, of its net value",
        unit="of value",
        default=0.0,
        ge=0,
        le=1,
        source=_PARADEX,
    )
    floor_of_hedged: float = param(
        "Least requirement of a class, of its hedged value",
        unit="of value",
        default=0.0,
        ge=0,
        le=1,
        source=_PARADEX,
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if not any(s.spot_move == 0 and s.volatility == NONE for s in self.scenarios):
            yield (
                "scenarios",
                f"has no scenario without a move among {len(self.scenarios)}; one with spot_move 0 "
                "and volatility none is needed",
            )
        if self.initial_factor < self.maintenance_factor:
            yield (
                "initial_factor",
                f"{self.initial_factor:g} is below the maintenance factor, "
                f"{self.maintenance_factor:g}",
            )
        met: dict[str, str] = {}
        for name, assets in self.classes.items():
            for place, asset in enumerate(assets):
                if asset in met:
                    yield (
                        f"classes.{name}.{place}",
                        f"{asset!r} is already in {met[asset]!r}; an asset has one class",
                    )
                met.setdefault(asset, name)
