"""A group at run time: the traders that share one strategy and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.columns import Accounts, Market
from stresslab.core.random import Draws, Streams
from stresslab.traders.kernels.common import sight_of
from stresslab.traders.state import TraderColumns
from stresslab.traders.strategies import STRATEGIES
from stresslab.traders.trader import Trader


class StepDraws(NamedTuple):
    """Chance of one step: the key of a stream for kernels, the draws of one trader for rules."""

    streams: Streams
    step: int

    def of(self, id: int) -> Draws:
        """Return the draws of the trader with this permanent id."""
        return Draws(self.streams, id, self.step)


def value_lots(market: Market, lot_value: np.ndarray) -> None:
    """Bring the value of one lot of each asset up to the last mark."""
    np.multiply(market.mark, market.unit_value, out=lot_value)


@dataclass
class Group:
    """The traders of one group, and what their strategy needs to see of them."""

    name: str
    kind: str
    parameters: Any
    choice: Any
    accounts: Accounts
    columns: TraderColumns
    market: Market
    step_seconds: float
    members: np.ndarray  # rows of all its traders
    lot_value: np.ndarray  # (A,) micro-USD of one lot at the last mark, shared by all groups
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # whose turn it is
    agents: Mapping[int, Trader] = field(default_factory=dict)  # Mesa handles by row
    asset_names: tuple[str, ...] = ()  # of all assets, by id
    memory: Any = None  # columns that a strategy's kernel writes, gathered by its ``prepare``
    choice_memory: Any = None  # what a choice of margin mode gathers before the first step

    def __post_init__(self) -> None:
        self.strategy: type[Trader] = STRATEGIES[self.kind]
        names: tuple[str, ...] = self.strategy.Values._fields
        self.orders_per_turn = self.strategy.orders_per_turn(self.parameters, self.market.mark.size)
        self.sight = sight_of(self.accounts, self.columns, self.market, self.lot_value)
        self.values = self.strategy.Values(*(getattr(self.parameters, n) for n in names))

    def trader(self, row: int) -> Trader:
        """Return the handle on a row, the model's agent where there is one."""
        return self.agents.get(row) or self.strategy(row, self)
