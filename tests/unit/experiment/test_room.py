"""What makers and dip buyers can take from forced sellers, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.contagion.theory import Venue
from stresslab.core import declarations
from stresslab.experiment.config import read_config, scenario_class
from stresslab.experiment.foresight import foresee
from stresslab.traders.strategies import STRATEGIES

CONFIG = Path(__file__).parents[2] / "data" / "two_assets.yaml"
MAKERS = {
    "strategy": {"kind": "market_maker", "inventory_limit": 4, "quote_size": 0.05},
    "count": 4,
    "wealth": {"kind": "equal", "amount_usd": 5_000},
    "holdings": {"kind": "flat", "is_specialised": True},
}
NOTHING = np.zeros(2)


def venue(**changes: Any) -> Venue:
    """Return two markets with two makers each; 5,000 USD times 4 times 2 is room for 40,000 USD."""
    scenario = read_config(CONFIG).values["scenario"]
    scenario["market"] |= {"book": {"kind": "limit_order_book"}}
    scenario["traders"] |= {"makers": MAKERS} | changes
    study = {"name": "room", "seed": 1, "scenario": scenario, "designs": {"one": {"replicates": 1}}}
    built: Any = declarations.build(scenario_class(), read_config(study).values["scenario"])
    return foresee(built, seed=1, replicate=0)


def room_usd(market: Venue, flow: float, paid: float, fall: float) -> list[float]:
    """Return what can still be bought and sold of BTC after so many lots for so many USD."""
    prices = market.prices * np.array([1.0 - fall, 1.0])
    left = market.room(np.array([flow, 0.0]), np.array([paid, 0.0]), prices)
    return (left[:, 0] * prices[0] * market.lot_value_usd[0]).tolist()


def test_makers_take_what_their_limits_allow() -> None:
    market = venue()
    first = market.room(NOTHING, NOTHING, market.prices) * market.prices * market.lot_value_usd
    assert first == pytest.approx(np.full((2, 2), 40_000.0))
    lot = 60.0  # USD: 0.001 BTC
    assert room_usd(market, -500, 500 * lot, 0.0) == pytest.approx([10_000.0, 70_000.0])
    assert room_usd(market, 500, -500 * lot, 0.0) == pytest.approx([70_000.0, 10_000.0])


def test_who_is_full_stays_full_when_the_price_falls() -> None:
    """500 lots lose 3,000 of 10,000 USD of equity by a tenth: 28,000 may be held, 27,000 is.

    Of 40,000 bought a tenth less is 36,000, and 24,000 may be held.
    """
    market = venue()
    assert room_usd(market, -500, 30_000.0, 0.1) == pytest.approx([1_000.0, 55_000.0])
    assert room_usd(market, -40_000 / 60, 40_000.0, 0.1) == pytest.approx([0.0, 60_000.0])


def test_dip_buyers_take_as_much_as_their_leverage() -> None:
    """Four of 1,000 USD at leverage 3, two in each market: 6,000 USD more."""
    buyers = MAKERS | {"strategy": {"kind": "fundamental"}, "leverage": {"median": 3, "sigma": 0},
                       "wealth": {"kind": "equal", "amount_usd": 1_000}}  # fmt: skip
    assert room_usd(venue(buyers=buyers), 0.0, 0.0, 0.0) == pytest.approx([46_000.0] * 2)


def test_an_impact_book_has_room_for_all() -> None:
    built: Any = declarations.build(scenario_class(), read_config(CONFIG).values["scenario"])
    market = foresee(built, seed=1, replicate=0)
    assert np.isinf(market.room(NOTHING, NOTHING, market.prices)).all()


@pytest.mark.parametrize("kind", [kind for kind, rule in STRATEGIES.items() if rule.opens_books])
def test_whoever_opens_books_can_hold_something(kind: str) -> None:
    rule = STRATEGIES[kind]
    found = rule.largest_position(rule.Parameters(), np.array([2.0, 3.0]), np.array([1, 2]))
    assert found.shape == (2,) and (found > 0).all()
