"""Opens a market from a scenario: people and their positions, pools, books, marks, Mesa agents."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from stresslab.core.columns import Accounts, Market, make_accounts
from stresslab.core.ledger import INSURANCE_FUND, make_house, make_journal
from stresslab.core.random import Streams
from stresslab.liquidation.floor import Clearing, LimitOrderFloor
from stresslab.margin.endowment import endow, refuse_born_in_breach
from stresslab.margin.posting import Costs
from stresslab.margin.tiers import RATE_UNIT, MarginTables, margin_tables, rate_units
from stresslab.market.index import SECONDS_PER_DAY, index_path
from stresslab.market.limit_order_book import make_limit_order_books
from stresslab.market.marks import MarkBoard
from stresslab.market.rules import BrownianIndex
from stresslab.market.view import make_market
from stresslab.scenario import Scenario

MICRO = 1_000_000


@dataclass
class World:
    """Everything a model steps: state in columns, books, marks, people."""

    clearing: Clearing
    floor: Any
    board: MarkBoard
    market: Market
    population: Any
    index: np.ndarray  # (n_steps + 1, A) ticks
    called: np.ndarray  # (pools * N,) who has had a margin call
    fading: float
    order_capacity: int


def open_world(model: Any, scenario: Scenario, streams: Streams) -> World:
    """Draw the people, endow their pools at the first index prices, and open empty books."""
    names = list(scenario.assets)
    is_spot = np.array([a.kind == "spot" for a in scenario.assets.values()], np.int64)
    unit_value = np.array([a.unit_value for a in scenario.assets.values()], np.int64)
    tables = margin_tables(scenario.margin, names, is_spot, unit_value)
    index = _index(scenario, streams)
    raise NotImplementedError


def _index(scenario: Scenario, streams: Streams) -> np.ndarray:
    """Return the index path; shocks are timed from the end of the burn-in."""
    return index_path(
        scenario.assets,
        scenario.market.index,
        scenario.market.shocks,
        scenario.n_steps,
        scenario.step_seconds,
        scenario.burn_in_seconds,
        streams,
    )
