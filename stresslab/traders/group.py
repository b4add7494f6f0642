"""A group at run time: the traders that share one strategy and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.columns import Accounts, Market
from stresslab.core.random import Draws, Streams
from stresslab.traders.state import TraderColumns
from stresslab.traders.trader import Trader


class StepDraws(NamedTuple):
    """Chance of one step: the key of a stream for kernels, the draws of one trader for rules."""

    streams: Streams
    step: int

    def of(self, id: int) -> Draws:
        """Return the draws of the trader with this permanent id."""
        return Draws(self.streams, id, self.step)


@dataclass
class Group:
    """The traders of one group, and what their strategy needs to see of them."""

    name: str
    kind: str
    strategy: type[Trader]
    parameters: Any
    choice: Any
    accounts: Accounts
    columns: TraderColumns
    market: Market
    step_seconds: float
    members: np.ndarray  # rows of all its traders
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # whose turn it is
    agents: Mapping[int, Trader] = field(default_factory=dict)  # Mesa handles by row

    def __post_init__(self) -> None:
        names = self.strategy.Values._fields  # type: ignore[attr-defined]
        self.values = self.strategy.Values(*(getattr(self.parameters, n) for n in names))

    def trader(self, row: int) -> Trader:
        """Return the handle on a row, the model's agent where there is one."""
        return self.agents.get(row) or self.strategy(row, self)
