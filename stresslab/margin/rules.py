"""What a config says about margin: brackets, modes and the mode's own attributes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from stresslab.core.declarations import declared, param
from stresslab.margin.chains.rules import Chain
from stresslab.margin.collateral_rules import CollateralRules
from stresslab.margin.portfolio.rules import PortfolioRules
from stresslab.margin.requirement import REQUIREMENTS, RequirementPart


@declared
class Bracket:
    """One row of a venue's leverage table, valid for notionals above its floor."""

    floor_usd: float = param("Notional above which the bracket holds", unit="USD", ge=0)
    maintenance_rate: float = param(
        "Maintenance margin rate of the part of the notional in the bracket",
        unit="of notional",
        symbol="m",
        gt=0,
        le=1,
    )
    max_leverage: float = param(
        "Highest leverage in the bracket", unit="x", symbol="L", ge=1, le=1000
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.maintenance_rate * self.max_leverage >= 1:
            yield (
                "maintenance_rate",
                f"{self.maintenance_rate:g} is not below the initial margin rate "
                f"1/{self.max_leverage:g} = {1 / self.max_leverage:g}",
            )


@declared
class ModeRules:
    """Attributes of the pools of one margin mode, but for how they are closed."""

    penalty_rate: float = param(
        "Liquidation penalty paid to the insurance fund", unit="of closed notional", ge=0, le=0.5
    )
    initial_margin_factor: float = param(
        "Initial margin as a multiple of the bracket's 1/leverage",
        unit="x",
        default=1.0,
        ge=1,
        le=10,
    )


@declared
class MarginRules:
    """Margin of the venue: brackets, modes, alerts and how isolated positions are funded."""

    brackets: dict[str, tuple[Bracket, ...]] = param(
        "Leverage table of each asset, rising floors from 0"
    )
    isolated: ModeRules = param("Pools of one position")
    cross: ModeRules = param("Pools of a whole account")
    portfolio: PortfolioRules | None = param(
        "Scenario grid that margins cross pools in place of the brackets", default=None
    )
    max_leverage: dict[str, float] = param(
        "Leverage cap by asset, on top of the brackets", unit="x", factory=dict, ge=1, le=1000
    )
    spot_haircut: float = param(
        "Maintenance margin of spot holdings: the haircut on their value as collateral",
        unit="of value",
        default=0.1,
        ge=0,
        lt=1,
    )
    collateral: dict[str, CollateralRules] = param(
        "Spot assets that count as collateral by haircuts of their own, also when a perpetual is "
        "opened",
        factory=dict,
    )
    chains: dict[str, Chain] = param(
        "Chains other than the venue's, on which groups of traders keep reserves", factory=dict
    )
    allotment: str = param(
        "What an initial isolated position gets: the account's wealth pro rata to initial margin, "
        "or the initial margin only, the rest staying in the wallet",
        default="wealth",
        choices=("wealth", "initial_margin"),
    )
    allotment_dispersion: float = param(
        "Unequal margin across an account's isolated positions: standard deviation of the log of "
        "a position's weight when wealth beyond initial margin is allotted",
        default=0.0,
        ge=0,
        le=3,
    )
    breach_at_equality: bool = param(
        "Whether a pool with exactly its maintenance margin is in breach, as where venues "
        "liquidate at a ratio of 100 %",
        default=False,
    )
    call_levels: tuple[float, ...] = param(
        "Maintenance margin over equity at which margin calls are sent, rising",
        unit="of equity",
        default=(0.8,),
        gt=0,
        le=1,
    )
    call_below_initial: bool = param(
        "Whether a pool with less equity than the initial margin of its positions is called too",
        default=False,
    )
    requirement: dict[str, RequirementPart] = param(
        "Add-ons to the brackets' rates that follow the market, by a name of their own; they add "
        "up",
        kinds=REQUIREMENTS,
        factory=dict,
    )

    def faults(self) -> Iterator[tuple[str, str]]:
        for name, rows in self.brackets.items():
            yield from _bracket_faults(f"brackets.{name}", rows)
        if not self.call_levels:
            yield "call_levels", "has no level; at least one is needed, above 0 and at most 1"
        for place, (low, high) in enumerate(itertools.pairwise(self.call_levels), start=1):
            if high <= low:
                yield f"call_levels.{place}", f"{high:g} is not above the level before, {low:g}"


def _bracket_faults(path: str, rows: tuple[Bracket, ...]) -> Iterator[tuple[str, str]]:
    if not rows:
        yield path, "has no bracket; at least one with floor_usd 0 is needed"
        return
    if rows[0].floor_usd != 0:
        yield (
            f"{path}.0.floor_usd",
            f"{rows[0].floor_usd:g} is not 0 USD, where the first must start",
        )
    for place, (low, high) in enumerate(itertools.pairwise(rows), start=1):
        where = f"{path}.{place}"
        if high.floor_usd <= low.floor_usd:
            yield (
                f"{where}.floor_usd",
                f"{high.floor_usd:g} USD is not above the floor before, {low.floor_usd:g} USD",
            )
        if high.maintenance_rate <= low.maintenance_rate:
            yield (
                f"{where}.maintenance_rate",
                f"{high.maintenance_rate:g} is not above the rate before, {low.maintenance_rate:g}",
            )
        if high.max_leverage > low.max_leverage:
            yield (
                f"{where}.max_leverage",
                f"{high.max_leverage:g} x is above the leverage before, {low.max_leverage:g} x",
            )
