"""What theory reads of a scenario about stops and the book, by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.contagion.theory import Course, Venue
from stresslab.core import declarations
from stresslab.experiment.config import read_config, scenario_class
from stresslab.experiment.foresight import foresee

CONFIG = Path(__file__).parents[2] / "data" / "two_assets.yaml"
HOLDER = {  # long 6,000 USD of BTC and 3,000 of ETH with 1,000 USD, stops at half of the margin
    "strategy": {"kind": "leveraged_speculator", "stop_share": 1, "stop_loss": 0.5},
    "accounts": [{"wealth_usd": 1_000, "positions": {"BTC": 100, "ETH": 100}}],
    "leverage": {"median": 10, "sigma": 0},
    "margin_mode": {"kind": "fixed_share", "cross_share": 1},
}
IMPACT = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 2_000_000}}
MAKERS = {
    "strategy": {"kind": "market_maker", "quote_size": 0.05, "n_levels": 2, "size_growth": 1},
    "count": 4,
    "wealth": {"kind": "equal", "amount_usd": 5_000},
    "holdings": {"kind": "flat", "is_specialised": True},
    "seconds_between_turns": 4,
}


def opened(traders: dict[str, Any], book: dict[str, Any], over: float) -> tuple[Venue, Course]:
    scenario = read_config(CONFIG).values["scenario"]
    scenario["market"] |= {"book": book}
    scenario["traders"] = {"house": scenario["traders"]["house"]} | traders
    design = {"one": {"replicates": 1}}
    study = {"name": "course", "seed": 1, "scenario": scenario, "designs": design}
    built: Any = declarations.build(scenario_class(), read_config(study).values["scenario"])
    venue = foresee(built, seed=1, replicate=0, over_seconds=over)
    assert venue.course is not None
    return venue, venue.course


def test_stops_are_those_of_the_opening() -> None:
    """Half of the margin at leverage 10 is lost 5 % below: at 57,000 and 2,850 USD."""
    venue, course = opened({"holder": HOLDER}, IMPACT, 0.0)
    holder = int(np.flatnonzero(venue.positions[:, 0] == 100)[0])
    assert course.stops[holder] == pytest.approx([57_000, 28_500], abs=1)
    assert not np.delete(course.stops, holder, axis=0).any()
    assert course.steps == 1 and np.isinf(course.resting).all()


def test_a_pool_that_a_stop_has_relieved_is_not_in_breach() -> None:
    """BTC at 50,200: equity 20 USD of 40 needed. Had it sold BTC at 57,000: 700 USD, of 15 needed.

    Then it is ETH alone that breaches, when 700 + e - 3,000 < 0.005 e: below 2,311.6 USD.
    """
    venue, course = opened({"holder": HOLDER}, IMPACT, 0.0)
    is_holder = venue.positions[:, 0] == 100
    nothing, no_cash = np.zeros_like(venue.positions), np.zeros(len(is_holder))
    sold = np.where(is_holder[:, np.newaxis], [100.0, 0.0], 0.0)
    cash = np.where(is_holder, 5_700.0, 0.0)

    def due(btc: float, eth: float, lots: np.ndarray, usd: np.ndarray) -> list[float]:
        found: list[float] = course.due(np.array([btc, 10 * eth]), lots, usd)[is_holder][0].tolist()
        return found

    assert due(50_500, 3_000, nothing, no_cash) == [0, 0]
    assert due(50_200, 3_000, nothing, no_cash)[0] > 0
    assert due(50_200, 3_000, sold, cash) == [0, 0]
    assert due(50_200, 2_312, sold, cash) == [0, 0]
    relieved = due(50_200, 2_311, sold, cash)
    assert relieved[0] == 0 and relieved[1] > 0


def test_makers_rest_so_much_and_renew_it_so_often() -> None:
    """Two makers a market, 250 and 500 USD on each side; a turn every 4 s forgets exp(-1/4)."""
    venue, course = opened({"makers": MAKERS}, {"kind": "limit_order_book"}, 60.0)
    value = course.resting * venue.prices * venue.lot_value_usd
    assert value == pytest.approx(np.full((2, 2), 1_500.0), abs=4 * 60)  # whole lots of 60 USD
    assert (value > 0).all()
    assert course.kept == pytest.approx(math.exp(-0.25))
    assert (course.steps, course.after) == (60, 20)  # of 30 s, the shock ends at 10
