"""What a config says about the traders: groups of one strategy, their means and holdings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from stresslab.core.declarations import declared, param
from stresslab.traders.choice import CHOICES
from stresslab.traders.distributions import WEALTH, Leverage
from stresslab.traders.holdings import HOLDINGS
from stresslab.traders.holdings.flat import Flat
from stresslab.traders.stops import StopOrders
from stresslab.traders.strategies import STRATEGY_PARAMETERS

#: A trader's id is its group's place times this, plus its place in the group: a trader added to a
#: group renames nobody.
IDS_PER_GROUP = 1_000_000


@declared
class Account:
    """One account written out by hand."""

    wealth_usd: float = param(
        "Equity before the first step, taken to the cent", unit="USD", gt=0, le=1e12
    )
    positions: dict[str, int] = param(
        "Position in each asset held, signed", unit="lots", factory=dict, ge=-(10**12), le=10**12
    )


@declared
class TraderGroup:
    """Traders of one strategy: drawn from distributions, or written out account by account."""

    strategy: Any = param("Strategy of the traders", kinds=STRATEGY_PARAMETERS)
    count: int | None = param(
        "Number of traders, where they are drawn", default=None, ge=1, le=IDS_PER_GROUP
    )
    accounts: tuple[Account, ...] = param("Accounts written out, instead of count", default=())
    wealth: Any | None = param(
        "Distribution of wealth, where it is drawn", default=None, kinds=WEALTH
    )
    leverage: Leverage = param("Target leverage", factory=Leverage)
    holdings: Any = param("Positions before the first step", factory=Flat, kinds=HOLDINGS)
    free_wallet: float = param(
        "Share of wealth that backs no position before the first step",
        unit="of wealth",
        default=0.0,
        ge=0,
        lt=1,
    )
    collateral: dict[str, float] = param(
        "Spot assets held as collateral beside the positions, and their share of wealth",
        unit="of wealth",
        factory=dict,
        ge=0,
        lt=1,
    )
    reserves: dict[str, float] = param(
        "Chains on which the group keeps part of its wealth, and the share kept there; a margin "
        "call makes a trader send it",
        unit="of wealth",
        factory=dict,
        ge=0,
        lt=1,
    )
    assets: tuple[str, ...] | None = param(
        "Assets that the group trades; all perpetuals where none is named", default=None
    )
    seconds_between_turns: float = param(
        "Mean time between two turns of a trader; 0 is a turn every step",
        unit="s",
        default=10.0,
        ge=0,
        le=1e7,
    )
    margin_mode: Any | None = param(
        "Choice of margin mode, where it differs from the scenario's", default=None, kinds=CHOICES
    )
    stops: StopOrders = param("How the group's stop orders work", factory=StopOrders)
    is_counterparty: bool = param(
        "Whether the group takes the other side of what the others hold before the first step",
        default=False,
    )

    @property
    def share_apart(self) -> float:
        """Share of wealth that backs no position before the first step."""
        return self.free_wallet + math.fsum(self.reserves.values())

    def faults(self) -> Iterator[tuple[str, str]]:
        if (self.count is None) == (not self.accounts):
            yield "", "needs either count or accounts, and not both"
        if self.count is not None and self.wealth is None:
            yield "wealth", "is missing; drawn traders need a distribution of wealth"
        spoken_for = self.share_apart + math.fsum(self.collateral.values())
        if spoken_for >= 1:
            yield (
                "reserves" if self.reserves else "collateral",
                f"free_wallet, collateral and reserves are {spoken_for:g} of wealth; they must "
                "leave something for positions, less than 1",
            )
        if self.is_counterparty and not isinstance(self.holdings, Flat):
            yield "holdings", "a counterparty holds what the others leave; use the kind 'flat'"


def population_faults(
    groups: Mapping[str, TraderGroup], is_spot: Mapping[str, bool]
) -> Iterator[tuple[str, str]]:
    """Yield ``(path, message)`` of what groups and assets of a scenario get wrong together.

    Parameters
    ----------
    is_spot : for each asset by name, whether it is spot rather than a perpetual
    """
    for name, group in groups.items():
        for path, asset in _named_assets(group, is_spot):
            if asset not in is_spot:
                yield f"{name}.{path}", _unknown(asset, list(is_spot))
            elif path.startswith("holdings.spot_of") and not is_spot[asset]:
                yield f"{name}.{path}", f"'{asset}' is a perpetual; the leg must be spot"
        for asset in group.collateral:
            if not is_spot.get(asset, True):
                yield f"{name}.collateral.{asset}", "is a perpetual; collateral must be spot"
        for place, asset, lots in _written_positions(group):
            if lots < 0 and is_spot.get(asset, False):
                yield (
                    f"{name}.{_position(place, asset)}",
                    f"{lots} lots: spot cannot be held short",
                )
    yield from _unbalanced(groups, is_spot)


def _unbalanced(
    groups: Mapping[str, TraderGroup], is_spot: Mapping[str, bool]
) -> Iterator[tuple[str, str]]:
    """Yield a fault for each perpetual whose written-out positions do not add up to zero."""
    if any(group.is_counterparty for group in groups.values()):
        return
    totals = dict.fromkeys(is_spot, 0)
    last: dict[str, tuple[str, int]] = {}
    for name, group in groups.items():
        for place, asset, lots in _written_positions(group):
            if asset not in totals:
                return  # told elsewhere; with its name put right the rest may balance
            totals[asset] += lots
            last[asset] = name, place
    for asset, total in totals.items():
        if total != 0 and not is_spot[asset]:
            name, place = last[asset]
            yield (
                f"{name}.{_position(place, asset)}",
                f"positions in {asset} add up to {total:+d} lots over all accounts; "
                "longs and shorts must be equal",
            )


def _named_assets(group: TraderGroup, known: Mapping[str, bool]) -> Iterator[tuple[str, str]]:
    """Yield path and name of the assets that a group names; of accounts only those not known."""
    for place, asset in enumerate(group.assets or ()):
        yield f"assets.{place}", asset
    for asset in getattr(group.holdings, "asset_weights", {}):
        yield f"holdings.asset_weights.{asset}", asset
    for asset in getattr(group.holdings, "lots", {}):
        yield f"holdings.lots.{asset}", asset
    for perpetual, spot in getattr(group.holdings, "spot_of", {}).items():
        yield f"holdings.spot_of.{perpetual}", spot
    for asset in group.collateral:
        yield f"collateral.{asset}", asset
    for place, asset, _ in _written_positions(group):
        if asset not in known:
            yield _position(place, asset), asset
    named = getattr(group.strategy, "named_assets", None)
    for path, asset in named() if named else ():
        yield f"strategy.{path}", asset


def _written_positions(group: TraderGroup) -> Iterator[tuple[int, str, int]]:
    """Yield account, asset and lots; there may be ten thousands, so paths are made of faults."""
    for place, account in enumerate(group.accounts):
        for asset, lots in account.positions.items():
            yield place, asset, lots


def _position(place: int, asset: str) -> str:
    return f"accounts.{place}.positions.{asset}"


def _unknown(asset: str, known: list[str]) -> str:
    near = get_close_matches(asset, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    return f"unknown asset '{asset}'; {hint}"
