"""Everything that is projected from one event log, computed once and when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stresslab.contagion import attribution, check, forest, trees
from stresslab.contagion.attribution import Amounts, Triggers
from stresslab.contagion.columns import Tables, as_int, is_in
from stresslab.contagion.episodes import (
    QUIET_SECONDS,
    Episodes,
    episodes,
    quiet_steps,
    step_seconds,
)
from stresslab.contagion.forced import Forced, by_asset, by_liquidation, forced, unit_values
from stresslab.contagion.forest import Forest, Parents
from stresslab.contagion.paths import Paths, paths, shock_row
from stresslab.contagion.spill import Spill, spill


@dataclass(frozen=True)
class Contagion:
    """The contagion of one run. Rows of liquidations are in order of id throughout."""

    tables: Tables
    quiet_seconds: float = QUIET_SECONDS
    least_endogenous_share: float = 0.0

    def check(self) -> None:
        """Raise ``InvariantError`` unless every liquidation's causes add up to the unit."""
        check.refuse(check.faults_of(self.tables, self.amounts))

    @cached_property
    def liquidations(self) -> dict[str, np.ndarray]:
        """The table of liquidations, sorted by id."""
        rows = self.tables["liquidations"]
        order = np.argsort(as_int(rows["liquidation"]), kind="stable")
        return {name: column[order] for name, column in rows.items()}

    @cached_property
    def ids(self) -> np.ndarray:
        return as_int(self.liquidations["liquidation"])

    @property
    def n_assets(self) -> int:
        return len(self.tables["assets"]["asset"])

    @cached_property
    def asset_names(self) -> list[str]:
        rows = self.tables["assets"]
        return [str(name) for name in rows["name"][np.argsort(as_int(rows["asset"]))]]

    @cached_property
    def is_cross(self) -> np.ndarray:
        """Whether each liquidation is one of a cross pool."""
        return np.asarray(self.liquidations["mode"] == "cross", dtype=bool)

    @cached_property
    def amounts(self) -> Amounts:
        return attribution.eaten(self.tables)

    @cached_property
    def triggers(self) -> Triggers:
        return attribution.triggers(self.amounts)

    @cached_property
    def parents(self) -> Parents:
        return forest.parents(self.triggers, self.ids)

    @cached_property
    def forest(self) -> Forest:
        return forest.grow(self.parents, len(self.ids), self.least_endogenous_share)

    @cached_property
    def episodes(self) -> Episodes:
        return episodes(self.tables, quiet_steps(self.tables, self.quiet_seconds))

    @cached_property
    def step_seconds(self) -> float:
        return step_seconds(self.tables)

    @cached_property
    def forced(self) -> Forced:
        return forced(self.tables, self.ids)

    @cached_property
    def forced_notional(self) -> np.ndarray:
        """(n_liquidations,) exact micro-USD."""
        return by_liquidation(self.forced, self.forced.notional, len(self.ids))

    @cached_property
    def forced_loss(self) -> np.ndarray:
        """(n_liquidations,) exact micro-USD lost in execution, fees and penalties."""
        return by_liquidation(self.forced, self.forced.loss, len(self.ids))

    @cached_property
    def forced_notional_by_asset(self) -> np.ndarray:
        """(n_liquidations, n_assets) exact micro-USD."""
        return by_asset(self.forced, len(self.ids), self.n_assets)

    @cached_property
    def trees(self) -> dict[str, np.ndarray]:
        """Cascade trees as columns, one row each; money in exact micro-USD."""
        return trees.sizes(self.forest, self.liquidations, self.forced_notional, self.forced_loss)

    @cached_property
    def asset_shares(self) -> np.ndarray:
        """(n_liquidations, exogenous | endogenous, asset or none): trigger shares by asset."""
        return attribution.asset_shares(self.amounts, self.triggers, self.ids, self.n_assets)

    @cached_property
    def paths(self) -> Paths:
        return paths(self.tables)

    @cached_property
    def shock_row(self) -> int:
        return shock_row(self.tables, self.paths)

    @cached_property
    def unit_values(self) -> np.ndarray:
        return unit_values(self.tables)

    @cached_property
    def is_shocked(self) -> np.ndarray:
        """(n_assets,) whether the scenario shocks the asset."""
        return is_in(np.arange(self.n_assets), np.unique(self.tables["shocks"]["asset"]))

    @cached_property
    def initial_prices(self) -> np.ndarray:
        """(n_assets,) ticks before the first step."""
        rows = self.tables["assets"]
        return as_int(rows["initial_price_ticks"])[np.argsort(as_int(rows["asset"]))]

    @cached_property
    def initial_open_interest(self) -> np.ndarray:
        """(n_assets,) long positions before the first step at initial prices, micro-USD."""
        rows, longs = self.tables["positions"], np.zeros(self.n_assets, np.int64)
        np.add.at(longs, as_int(rows["asset"]), np.maximum(as_int(rows["initial_lots"]), 0))
        return longs * self.initial_prices * self.unit_values

    @cached_property
    def spill(self) -> Spill:
        return spill(self.tables, self.forced, self.is_shocked, self.shocked_holders)

    @cached_property
    def shocked_holders(self) -> np.ndarray:
        """Accounts that held a shocked asset before the first step, sorted."""
        rows = self.tables["positions"]
        is_held = (as_int(rows["initial_lots"]) != 0) & self.is_shocked[as_int(rows["asset"])]
        return np.unique(as_int(rows["account"])[is_held])
