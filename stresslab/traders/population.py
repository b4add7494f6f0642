"""The population before the first step: wealth, positions, habits, identical in every arm."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stresslab.core.random import Streams, normals, uniforms
from stresslab.traders.balance import COUNTERPARTY, FIXED, SHRINKS, balance
from stresslab.traders.planning import InitialMargin, Instruments, Plan, Planner
from stresslab.traders.rules import IDS_PER_GROUP, TraderGroup
from stresslab.traders.state import TraderColumns, make_columns
from stresslab.traders.stops import TRIGGERS

_MICRO_PER_CENT = 10_000
_LEVERAGE_GRID = 100


@dataclass(frozen=True)
class Population:
    """Who takes part: permanent ids, positions and the columns of the traders.

    ``position`` holds signed lots, shape ``(n_assets, n_traders)``; perpetuals are entered and spot
    is bought at the price before the first step, out of the trader's wealth.
    """

    id: np.ndarray
    position: np.ndarray
    columns: TraderColumns

    @classmethod
    def draw(
        cls,
        groups: Mapping[str, TraderGroup],
        instruments: Instruments,
        initial_margin: InitialMargin,
        streams: Streams,
    ) -> Population:
        """Draw every group, then balance longs and shorts of each perpetual to the lot."""
        parts = [
            _draw_group(place, group, instruments, initial_margin, streams)
            for place, group in enumerate(groups.values())
        ]
        position = np.concatenate([p.position for p in parts], axis=1)
        capacity = np.concatenate([p.capacity for p in parts], axis=1)
        role = np.concatenate([p.role for p in parts])
        for asset in np.flatnonzero(instruments.is_spot == 0).tolist():
            name = instruments.names[asset]
            position[asset] = balance(name, position[asset], role, capacity[asset])
        columns = [
            np.concatenate(c, axis=-1) for c in zip(*(p.columns for p in parts), strict=True)
        ]
        return cls(np.concatenate([p.id for p in parts]), position, TraderColumns(*columns))

    def permuted(self, order: np.ndarray) -> Population:
        """Return the same people in other rows: new row ``i`` is old row ``order[i]``."""
        columns = TraderColumns(*(c[..., order].copy() for c in self.columns))
        return dataclasses.replace(
            self, id=self.id[order], position=self.position[:, order], columns=columns
        )


@dataclass(frozen=True)
class _Part:
    """One group, before it is balanced against the others."""

    id: np.ndarray
    position: np.ndarray
    capacity: np.ndarray  # (A, n) lots a counterparty can take
    role: np.ndarray
    columns: TraderColumns


def _draw_group(
    place: int,
    group: TraderGroup,
    instruments: Instruments,
    initial_margin: InitialMargin,
    streams: Streams,
) -> _Part:
    number = group.count or len(group.accounts)
    ids = IDS_PER_GROUP * place + np.arange(number, dtype=np.int64)
    wealth = _wealth(group, ids, streams)
    leverage = _leverage(group, ids, streams)
    assets = _asset_ids(group, instruments)
    kept = group.share_apart + math.fsum(group.collateral.values())
    planner = Planner(ids, wealth, leverage, kept, assets, instruments, initial_margin, streams)
    plan = _written_out(group, planner) if group.accounts else group.holdings.plan(planner)
    _add_collateral(plan, group, wealth, instruments)
    columns = make_columns(number, len(instruments.names))._replace(
        group=np.full(number, place),
        wealth=wealth,
        leverage=leverage,
        risk_aversion=normals(streams["risk_aversion"], ids, 0, 0),
        trait=uniforms(streams["trait"], ids, 0, 0),
        trades=plan.trades.astype(np.int8),
        n_traded=plan.trades.sum(axis=0, dtype=np.int64),
        stop_trigger=np.full(number, TRIGGERS.index(group.stops.trigger)),
        stop_offset=np.full(number, group.stops.offset),
        first_leg=plan.first_leg,
        second_leg=plan.second_leg,
    )
    return _Part(ids, plan.position, _capacity(group, planner), _roles(group, number), columns)


def _wealth(group: TraderGroup, ids: np.ndarray, streams: Streams) -> np.ndarray:
    """Return wealth in micro-USD, whole cents."""
    if group.accounts:
        usd = [account.wealth_usd for account in group.accounts]
    else:
        assert group.wealth is not None, "a drawn group has a distribution of wealth"
        usd = [group.wealth.usd(u) for u in uniforms(streams["wealth"], ids, 0, 0).tolist()]
    return np.array([round(100.0 * w) * _MICRO_PER_CENT for w in usd], np.int64)


def _leverage(group: TraderGroup, ids: np.ndarray, streams: Streams) -> np.ndarray:
    """Return target leverage, in steps of 0.01 so that no processor's rounding shows."""
    if group.leverage.sigma == 0:
        everyone = group.leverage.of(0.5)
        return np.full(ids.size, max(1, round(_LEVERAGE_GRID * everyone)) / _LEVERAGE_GRID)
    drawn = [group.leverage.of(u) for u in uniforms(streams["leverage"], ids, 0, 0).tolist()]
    return np.array([max(1, round(_LEVERAGE_GRID * x)) / _LEVERAGE_GRID for x in drawn])


def _asset_ids(group: TraderGroup, instruments: Instruments) -> np.ndarray:
    if group.assets is None:
        return np.flatnonzero(instruments.is_spot == 0)
    return np.array(sorted(instruments.names.index(a) for a in set(group.assets)), np.int64)


def _written_out(group: TraderGroup, planner: Planner) -> Plan:
    """Return the positions that the config lists, account by account."""
    plan = planner.empty()
    plan.trades[planner.assets] = 1
    row_of = {name: row for row, name in enumerate(planner.instruments.names)}
    written = [
        (row_of[asset], place, lots)
        for place, account in enumerate(group.accounts)
        for asset, lots in account.positions.items()
    ]
    rows, places, lots = np.array(written, np.int64).reshape(-1, 3).T
    plan.position[rows, places] = lots
    plan.trades[rows, places] = 1
    return plan


def _add_collateral(
    plan: Plan, group: TraderGroup, wealth: np.ndarray, instruments: Instruments
) -> None:
    """Buy the spot assets that the group holds as collateral, whole lots, rounded down."""
    for name, share in group.collateral.items():
        asset = instruments.names.index(name)
        value = int(instruments.lot_value[asset])
        plan.position[asset] += np.floor(wealth * share / value).astype(np.int64)


def _capacity(group: TraderGroup, planner: Planner) -> np.ndarray:
    """Return the lots of each perpetual that counterparties can take with their margin."""
    weights = np.zeros((len(planner.instruments.names), planner.ids.size))
    if group.is_counterparty:
        weights[planner.perpetuals] = 1.0
    return planner.affordable_lots(planner.split(planner.budget * planner.leverage, weights))


def _roles(group: TraderGroup, number: int) -> np.ndarray:
    if group.is_counterparty:
        return np.full(number, COUNTERPARTY)
    is_fixed = bool(group.accounts) or not group.holdings.can_shrink
    return np.full(number, FIXED if is_fixed else SHRINKS)
