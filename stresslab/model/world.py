"""Everything that a model steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stresslab.core.columns import Market
from stresslab.liquidation.floor import Clearing
from stresslab.margin.chains.book import ChainBook
from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.marks import MarkBoard
from stresslab.traders.crowd import Crowd


@dataclass
class World:
    """State in columns, books, marks, people."""

    clearing: Clearing
    floor: Any
    board: MarkBoard
    rates: RatesInForce
    breaker: CircuitBreaker
    market: Market
    crowd: Crowd
    index: np.ndarray  # (n_steps + 1, A) ticks
    oracle: np.ndarray  # (n_steps + 1, A) ticks, the index as the venue knows it
    oracle_now: np.ndarray  # (A,) its row of this step
    chains: ChainBook | None  # what accounts keep on other chains; None where all is here
    called: np.ndarray  # (pools * N,) who has had a margin call
    fading: float  # weight that volatility and trend keep in a step

    def group_names(self) -> list[str]:
        """Return the name of each account's group, by row."""
        return [self.crowd.groups[place].name for place in self.crowd.columns.group]

    def strategy_names(self) -> list[str]:
        """Return the strategy of each account, by row."""
        return [self.crowd.groups[place].kind for place in self.crowd.columns.group]
