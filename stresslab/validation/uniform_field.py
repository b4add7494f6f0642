"""A market in which theory is exact: equal longs whose liquidation prices are a Poisson field.

Each long holds one lot and is in breach once a number of lots has been sold, its depth. Depths are
a Poisson process, and a lot sold moves the price for good: by one whole tick, or by one fixed part
of itself. A lot sold therefore liquidates a Poisson number of longs, whose mean is the branching
ratio, each of these as many again, and so on in rounds until nobody is left in breach: a
Galton-Watson tree within one step.

The *number* of longs is Poisson too. With a fixed number what is left of a field would grow denser
as lots are sold, since those that begin cascades use up field but no longs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from stresslab.validation.simulated import event_log

PRICE_USD = 1_000_000  # a lot is one coin
MAINTENANCE = 0.01
BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": MAINTENANCE, "max_leverage": 50.0}]
SELLER = {"wealth_usd": 1e10}
SHARE = 1e-4  # of the price, by which a lot moves it under exponential impact
_ONE_PERCENT = math.log(1.01)


class Law(NamedTuple):
    """An impact law: what a lot does to the price."""

    kind: str
    tick_size_usd: float
    depth_usd: float  # of the config

    def price(self, depth: np.ndarray) -> np.ndarray:
        """Return the price in USD when so many lots have been sold."""
        if self.kind == "linear":
            return PRICE_USD - depth
        fallen: np.ndarray = PRICE_USD * np.exp(-SHARE * depth)
        return fallen


#: A lot moves the price by one tick of 1 USD, or by 400 ticks of 25 cents at the start.
LINEAR = Law("linear", 1.0, 0.01 * PRICE_USD * PRICE_USD)
EXPONENTIAL = Law("exponential", 0.25, _ONE_PERCENT * PRICE_USD / SHARE)


class Field(NamedTuple):
    """Where liquidation prices lie."""

    ratio: float  # longs in the reach of one lot: the branching ratio
    width: int  # lots sold from the first price down to the end of the field
    markets: int = 1  # side by side, independent of each other
    law: Law = LINEAR

    def drawn(self, seed: int, replicate: int, *, is_counted: bool = False) -> list[np.ndarray]:
        """Return the depths of the longs of each market, the mean number exactly if counted."""
        rng = np.random.Generator(np.random.Philox(key=[seed, replicate]))
        mean = self.ratio * self.width
        counts = np.full(self.markets, round(mean))
        if not is_counted:
            counts = rng.poisson(mean, self.markets)
        return [rng.uniform(0.0, self.width, count) for count in counts.tolist()]


def scenario(
    depths: Iterable[np.ndarray], steps: int, seeds: int = 1, law: Law = LINEAR
) -> dict[str, Any]:
    """Return markets with longs at these depths; in every step ``seeds`` lots are sold in each."""
    longs = {f"M{place}": wealths(law, depth) for place, depth in enumerate(depths)}
    return {
        **venue(list(longs), steps, law),
        "traders": {
            **{f"longs_{name}": _holders(name, wealth) for name, wealth in longs.items()},
            "shorts": {"strategy": {"kind": "passive"}, "count": len(longs),
                       "wealth": {"kind": "equal", "amount_usd": 1e10},
                       "leverage": {"median": 20.0}, "is_counterparty": True},
            "seller": {"strategy": {"kind": "metaorder", "lots": -seeds}, "accounts": [SELLER],
                       "seconds_between_turns": 0.0},
        },
    }  # fmt: skip


def venue(names: list[str], steps: int, law: Law = LINEAR) -> dict[str, Any]:
    """Return a scenario without its traders: nothing but the price joins anybody."""
    mode = {"closure": {"kind": "whole"}, "penalty_rate": 0.0}
    book = {"kind": law.kind, "depth_usd": law.depth_usd}
    return {
        "step_seconds": 1.0,
        "duration_seconds": float(steps),
        "assets": {name: {"kind": "perpetual", "initial_price_usd": float(PRICE_USD),
                          "tick_size_usd": law.tick_size_usd, "lot_size": 1.0} for name in names},
        "market": {
            "book": {"kind": "impact", "law": book},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {
            "brackets": dict.fromkeys(names, BRACKETS),
            "call_levels": [1.0],
            "isolated": mode,
            "cross": mode,
        },
        "liquidation": {"rounds_per_step": 10_000, "insurance_fund_usd": 1e12, "adl": False},
    }  # fmt: skip


def wealths(law: Law, depth: np.ndarray) -> list[float]:
    """Return what longs own that are in breach once more than their depth is sold.

    A long with wealth w is in breach at the price p with ``w - (P - p) < m p``.
    """
    wealth: list[float] = (PRICE_USD - (1 - MAINTENANCE) * law.price(depth)).tolist()
    return wealth


def _holders(name: str, wealth: list[float]) -> dict[str, Any]:
    accounts = [{"wealth_usd": usd, "positions": {name: 1}} for usd in wealth]
    return {"strategy": {"kind": "passive"}, "assets": [name], "accounts": accounts}


def cascade_sizes(
    field: Field, steps: int, seed: int, *, seeds: int = 1, reserve: int, runs: int = 1,
    first_run: int = 0,
) -> np.ndarray:  # fmt: skip
    """Return the sizes of cascades, the lots that began them included.

    Cascades count that begin with at least ``reserve`` lots of field ahead: whether one counts is
    decided by the past alone, so the law of its size up to ``reserve`` is that of a fresh field.
    """
    parts = [_one_run(field, steps, seed, seeds, reserve, first_run + k) for k in range(runs)]
    return np.concatenate(parts)


def _one_run(
    field: Field, steps: int, seed: int, seeds: int, reserve: int, replicate: int
) -> np.ndarray:
    config = scenario(field.drawn(seed, replicate), steps, seeds, field.law)
    tables = event_log(config, seed, replicate)
    step, leg = tables["liquidations"]["step"], tables["breach_legs"]["asset"]
    if leg.size != step.size:
        raise AssertionError("a pool in breach holds other than one position")
    sizes = np.full((field.markets, steps), seeds)
    np.add.at(sizes, (leg, step - 1), 1)
    used = sizes.cumsum(axis=1) - sizes
    fresh: np.ndarray = sizes[used <= field.width - reserve]
    return fresh
