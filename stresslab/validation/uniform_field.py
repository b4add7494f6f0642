"""A market in which theory is exact: equal longs whose liquidation prices fill a band evenly.

Each long holds one lot and has wealth drawn uniformly, so liquidation prices are a Poisson field
below the price. A lot sold moves the price by one whole tick for good. One that is sold therefore
liquidates a Poisson number of others, whose mean is the branching ratio, and so on in rounds until
nobody is left in breach: a Galton-Watson tree within one step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stresslab.validation.simulated import simulated

PRICE = 1_000_000  # ticks of 1 USD; a lot is one coin
MAINTENANCE = 0.01
BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": MAINTENANCE, "max_leverage": 50.0}]
SELLER = {"wealth_usd": 1e10}
_DEPTH_USD = 0.01 * PRICE * PRICE  # a lot moves the linear book by one tick


class Field(NamedTuple):
    """Where liquidation prices lie."""

    ratio: float  # longs in one tick: the branching ratio, since a lot moves the price by a tick
    longs: int  # in each market
    markets: int = 1  # side by side, independent of each other

    @property
    def width(self) -> float:
        """Ticks from the first price down to the last liquidation."""
        return self.longs / self.ratio


def scenario(field: Field, steps: int, seeds: int = 1) -> dict[str, Any]:
    """Return the market; in every step ``seeds`` lots are sold in each of its markets."""
    names = [f"M{place}" for place in range(field.markets)]
    return {
        "step_seconds": 1.0,
        "duration_seconds": float(steps),
        "assets": {name: {"kind": "perpetual", "initial_price_usd": float(PRICE),
                          "tick_size_usd": 1.0, "lot_size": 1.0} for name in names},
        "market": {
            "book": {"kind": "impact", "law": {"kind": "linear", "depth_usd": _DEPTH_USD}},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {
            "brackets": dict.fromkeys(names, BRACKETS),
            "isolated": {"closure": {"kind": "whole"}, "penalty_rate": 0.0},
            "cross": {"closure": {"kind": "whole"}, "penalty_rate": 0.0},
        },
        "liquidation": {"rounds_per_step": 10_000, "insurance_fund_usd": 1e12, "adl": False},
        "traders": {
            **{f"longs_{name}": _longs(field, name) for name in names},
            "shorts": {"strategy": {"kind": "passive"}, "count": field.markets,
                       "wealth": {"kind": "equal", "amount_usd": 1e10},
                       "leverage": {"median": 20.0}, "is_counterparty": True},
            "seller": {"strategy": {"kind": "metaorder", "lots": -seeds}, "accounts": [SELLER],
                       "seconds_between_turns": 0.0},
        },
    }  # fmt: skip


def even_scenario(field: Field, lots: int) -> dict[str, Any]:
    """Return one step of one market whose longs are spread evenly, and in which lots are sold."""
    market = scenario(field, 1, lots)
    lowest = MAINTENANCE * PRICE
    depths = [(place + 0.5) / field.ratio for place in range(field.longs)]
    market["traders"]["longs_M0"] = {
        "strategy": {"kind": "passive"},
        "accounts": [{"wealth_usd": lowest + (1 - MAINTENANCE) * depth, "positions": {"M0": 1}}
                     for depth in depths],
    }  # fmt: skip
    return market


def cascade_sizes(
    field: Field, steps: int, seed: int, *, seeds: int = 1, reserve: int, replicate: int = 0
) -> np.ndarray:
    """Return the sizes of cascades, the lots that began them included.

    Cascades count that begin with at least ``reserve`` ticks of field ahead: whether one counts is
    decided by the past alone, so the law of its size up to ``reserve`` is that of a fresh field.
    """
    tables, _ = simulated(scenario(field, steps, seeds), seed, replicate)
    step, leg = tables["liquidations"]["step"], tables["breach_legs"]["asset"]
    if leg.size != step.size:
        raise AssertionError("a pool in breach holds other than one position")
    sizes = np.full((field.markets, steps), seeds)
    np.add.at(sizes, (leg, step - 1), 1)
    used = sizes.cumsum(axis=1) - sizes
    fresh: np.ndarray = sizes[used <= field.width - reserve]
    return fresh


def _longs(field: Field, name: str) -> dict[str, Any]:
    """Return longs whose liquidation prices are uniform from the price down.

    A long with wealth w is in breach at the price p with ``w - (P - p) < m p``.
    """
    lowest = MAINTENANCE * PRICE
    span = (1 - MAINTENANCE) * field.width
    return {
        "strategy": {"kind": "passive"},
        "count": field.longs,
        "wealth": {"kind": "uniform", "minimum_usd": lowest, "maximum_usd": lowest + span},
        "holdings": {"kind": "equal_lots", "lots": {name: 1}},
        "assets": [name],
    }
