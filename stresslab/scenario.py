"""The scenario: everything that one run of the model is made from, and nothing it computes.

Declared classes only; importing this module must stay cheap, since checking a config does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from stresslab.core.declarations import declared, param
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.liquidation.rules import LiquidationRules
from stresslab.market.rules import Asset, MarketRules, ReplayIndex, tick_faults
from stresslab.traders.choice import CHOICES
from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.counterfactual import Counterfactual
from stresslab.traders.rules import TraderGroup, population_faults
from stresslab.traders.strategies import STRATEGIES, kind_of

_PACKS = Path(__file__).parent / "venues"
#: Venues whose rules a config may take as the base of its own.
VENUES = tuple(sorted(file.stem for file in _PACKS.glob("*.yaml")))

#: Steps of a run that a machine can hold: prices, depth and totals of each are kept.
MOST_STEPS = 10_000_000


def venue_file(name: str) -> Path:
    """Return the file of a venue's rules."""
    return _PACKS / f"{name}.yaml"


def _all_cross() -> FixedShare:
    return FixedShare(cross_share=1.0)


@declared
class Scenario:
    """One market, its rules and its people."""

    step_seconds: float = param("Length of a step", unit="s", gt=0, le=86_400)
    duration_seconds: float = param("Length of the run after burn-in", unit="s", gt=0)
    burn_in_seconds: float = param(
        "Time before the clock of shocks starts; its steps are recorded as 0 and below",
        unit="s",
        default=0.0,
        ge=0,
    )
    venue: str | None = param(
        "Venue whose rules of market, margin and liquidation are the base of the scenario's own",
        default=None,
        choices=VENUES,
    )
    assets: dict[str, Asset] = param("Contracts that trade, in the order of their ids")
    market: MarketRules = param("Prices, fees and funding", factory=MarketRules)
    margin: MarginAndClosure = param("Margin rules of the venue")
    liquidation: LiquidationRules = param("Liquidation rules", factory=LiquidationRules)
    margin_mode: object = param(
        "How traders choose the margin mode of a position, unless their group says otherwise",
        kinds=CHOICES,
        factory=_all_cross,
    )
    traders: dict[str, TraderGroup] = param("Groups of traders, in the order of their ids")

    record_balances: bool = param(
        "Whether every balance is recorded after every stage that moves money, in the event table "
        "`balances`: large, for audits",
        default=False,
    )
    counterfactual: Counterfactual = param(
        "What is changed against the run that this one is a twin of", factory=Counterfactual
    )

    @property
    def n_steps(self) -> int:
        """Steps of a run, burn-in included."""
        return self.n_burn_in + max(1, round(self.duration_seconds / self.step_seconds))

    @property
    def n_burn_in(self) -> int:
        """Steps of the burn-in."""
        return round(self.burn_in_seconds / self.step_seconds)

    @property
    def _is_too_long(self) -> bool:
        return (self.burn_in_seconds + self.duration_seconds) / self.step_seconds > MOST_STEPS

    def faults(self) -> Iterator[tuple[str, str]]:
        names = list(self.assets)
        if not names:
            yield "assets", "has no asset; at least one is needed"
        if not self.traders:
            yield "traders", "has no group; at least one is needed"
        for name, asset in self.assets.items():
            if asset.kind == "perpetual" and name not in self.margin.brackets:
                yield "margin.brackets", f"has no table for the perpetual '{name}'"
        yield from _unknown("margin.brackets", self.margin.brackets, names)
        yield from _unknown("margin.max_leverage", self.margin.max_leverage, names)
        if self.margin.portfolio is not None:
            for name, members in self.margin.portfolio.classes.items():
                yield from _unknown(f"margin.portfolio.classes.{name}", members, names)
            scales = self.margin.portfolio.move_scale
            yield from _unknown("margin.portfolio.move_scale", scales, names)
        yield from _unknown("margin.collateral", self.margin.collateral, names)
        for name in self.margin.collateral:
            if name in names and self.assets[name].kind != "spot":
                yield f"margin.collateral.{name}", "is a perpetual; collateral must be spot"
        own_funds = self.liquidation.insurance_fund_by_asset_usd
        yield from _unknown("liquidation.insurance_fund_by_asset_usd", own_funds, names)
        yield from self._misplaced_add_ons(names)
        for name, shock in self.market.shocks.items():
            yield from _unknown(f"market.shocks.{name}.assets", shock.assets, names)
        if isinstance(self.market.index, ReplayIndex):
            yield from _unknown("market.index.assets", self.market.index.assets, names)
        yield from self._beyond_its_time()
        for name, group in self.traders.items():
            path = f"traders.{name}.reserves"
            yield from _unknown(path, group.reserves, list(self.margin.chains), "chain")
        yield from self._refused_by_the_book()
        is_spot = {name: asset.kind == "spot" for name, asset in self.assets.items()}
        for path, message in population_faults(self.traders, is_spot):
            yield f"traders.{path}", message
        last_step = MOST_STEPS if self._is_too_long else self.n_steps - self.n_burn_in
        for path, message in self.counterfactual.faults_in(self.traders, names, last_step):
            yield f"counterfactual.{path}", message

    def _beyond_its_time(self) -> Iterator[tuple[str, str]]:
        """Yield a fault for a run that is too long, shocks after its end, bars that end before."""
        for name, shock in self.market.shocks.items():
            if shock.at_seconds > self.duration_seconds:
                yield (
                    f"market.shocks.{name}.at_seconds",
                    f"{shock.at_seconds:g} s is after the end of the run, "
                    f"{self.duration_seconds:g} s",
                )
        if self._is_too_long:
            yield (
                "duration_seconds",
                f"the run has more than {MOST_STEPS:,} steps of {self.step_seconds:g} s with its "
                "burn-in; the path of every asset is kept",
            )
        elif isinstance(self.market.index, ReplayIndex):
            yield from self._too_few_bars(self.market.index)

    def _too_few_bars(self, index: ReplayIndex) -> Iterator[tuple[str, str]]:
        held, needed = index.seconds_held(), self.n_steps * self.step_seconds
        if held is not None and needed > held:
            yield (
                "duration_seconds",
                f"the run lasts {needed:g} s with its burn-in, but market.index.file holds "
                f"{held:g} s of bars from start_time {index.start_time}",
            )

    def _misplaced_add_ons(self, names: list[str]) -> Iterator[tuple[str, str]]:
        """Yield a fault for each add-on of an asset that is unknown or has no brackets."""
        for part, rules in self.margin.requirement.items():
            path = f"margin.requirement.{part}.assets"
            yield from _unknown(path, rules.assets, names)
            for name in rules.assets:
                if name in names and self.assets[name].kind == "spot":
                    yield path, f"'{name}' is spot; add-ons are to the brackets of perpetuals"

    def _refused_by_the_book(self) -> Iterator[tuple[str, str]]:
        """Yield a fault for prices that the book has no ticks for, and orders that cannot rest."""
        for path, message in tick_faults(self.assets, self.market.book):
            yield f"assets.{path}", message
        if "post_only" in self.market.book.order_kinds:
            return
        for name, group in self.traders.items():
            if STRATEGIES[kind_of(group.strategy)].is_post_only:
                yield (
                    f"traders.{name}.strategy",
                    "quotes post-only orders, which an impact book cannot take; it takes "
                    f"{', '.join(self.market.book.order_kinds)}",
                )


def _unknown(
    path: str, found: Iterable[str], names: list[str], what: str = "asset"
) -> Iterator[tuple[str, str]]:
    for name in found:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = (
                f"; did you mean {near[0]!r}?"
                if near
                else f"; known are {', '.join(names) or 'none'}"
            )
            yield path, f"unknown {what} {name!r}{hint}"
