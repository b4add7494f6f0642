"""The strategies, by the name a config uses. One file and one line here add another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stresslab.traders.strategies.arbitrageur import Arbitrageur
from stresslab.traders.strategies.fundamental import Fundamental
from stresslab.traders.strategies.hedger import Hedger
from stresslab.traders.strategies.leverage_targeting import LeverageTargeting
from stresslab.traders.strategies.leveraged_speculator import LeveragedSpeculator
from stresslab.traders.strategies.market_maker import MarketMaker
from stresslab.traders.strategies.metaorder import Metaorder
from stresslab.traders.strategies.momentum import Momentum
from stresslab.traders.strategies.noise import Noise
from stresslab.traders.strategies.passive import Passive
from stresslab.traders.strategies.value_fund import ValueFund
from stresslab.traders.strategies.zero_intelligence import ZeroIntelligence
from stresslab.traders.trader import Trader

STRATEGIES: dict[str, type[Trader]] = {
    "market_maker": MarketMaker,
    "noise": Noise,
    "momentum": Momentum,
    "fundamental": Fundamental,
    "leveraged_speculator": LeveragedSpeculator,
    "hedger": Hedger,
    "arbitrageur": Arbitrageur,
    "leverage_targeting": LeverageTargeting,
    "metaorder": Metaorder,
    "zero_intelligence": ZeroIntelligence,
    "value_fund": ValueFund,
    "passive": Passive,
}


class _Parameters(Mapping[str, type]):
    """The same table as configs see it: the declared parameters of each strategy."""

    def __getitem__(self, kind: str) -> type:
        return STRATEGIES[kind].Parameters

    def __iter__(self) -> Iterator[str]:
        return iter(STRATEGIES)

    def __len__(self) -> int:
        return len(STRATEGIES)


STRATEGY_PARAMETERS: Mapping[str, type] = _Parameters()


def kind_of(parameters: object) -> str:
    """Return the name of the strategy that a parameter object belongs to."""
    for kind, strategy in STRATEGIES.items():
        if type(parameters) is strategy.Parameters:
            return kind
    raise KeyError(f"{type(parameters).__qualname__} belongs to no strategy in the table")
