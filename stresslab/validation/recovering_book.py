"""A large purchase in a book that recovers: what engine and formula charge for a schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stresslab.validation.simulated import simulated

SHARES = 100_000.0
INTERVALS = 10
INTERVAL = 0.1  # seconds
RECOVERY = 2.0  # of the displacement, per second
HALF_LIFE = math.log(2.0) / RECOVERY
IMPACT = 1e-5  # USD a share

PRICE = 100.0
LOTS = 10_000  # in one share
_DEPTH_USD = 0.01 * PRICE / IMPACT * PRICE


def paid(plan: Sequence[float], half_life: float, seed: int) -> float:
    """Return what a plan of shares paid beyond the index price, in USD, in a simulated market."""
    tables, _ = simulated(scenario(in_lots(plan), half_life), seed)
    accounts = tables["accounts"]
    lost = accounts["wealth_micro_usd"] - accounts["final_equity_at_index_micro_usd"]
    if int(tables["positions"]["final_lots"][0]) != round(SHARES * LOTS):
        raise AssertionError("the plan was not executed in full")
    return float(lost[0]) * 1e-6


def in_lots(plan: Sequence[float]) -> list[int]:
    """Return the plan in whole lots: what is bought so far is the plan's, rounded, all along."""
    bought = np.rint(np.cumsum(plan) * LOTS).astype(np.int64)
    lots: list[int] = np.diff(bought, prepend=0).tolist()
    return lots


def least_cost() -> list[float]:
    """Return the schedule that costs least, by the linear system of its first-order conditions.

    The cost is ``impact / 2 * sum x_i x_j exp(-recovery |t_i - t_j|)``.
    """
    times = INTERVAL * np.arange(INTERVALS + 1)
    kept = np.exp(-RECOVERY * np.abs(times[:, np.newaxis] - times))
    weights = np.linalg.solve(kept, np.ones(times.size))
    schedule: list[float] = (SHARES * weights / weights.sum()).tolist()
    return schedule


def scenario(lots: Sequence[int], half_life: float) -> dict[str, Any]:
    """Return a market in which one trader buys the lots, one number a step."""
    law = {"kind": "obizhaeva_wang", "depth_usd": _DEPTH_USD,
           "resilience_half_life_seconds": half_life}  # fmt: skip
    return {
        "step_seconds": INTERVAL,
        "duration_seconds": INTERVAL * len(lots),
        "assets": {"SHARE": {"kind": "perpetual", "initial_price_usd": PRICE,
                             "tick_size_usd": 0.01, "lot_size": 1.0 / LOTS}},
        "market": {
            "book": {"kind": "impact", "law": law},
            "mark": {"rule": "index"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {"brackets": {"SHARE": [
            {"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]}},
        "traders": {"buyer": {
            "strategy": {"kind": "metaorder", "schedule": list(lots)},
            "accounts": [{"wealth_usd": 1e9}],
            "seconds_between_turns": 0.0,
        }},
    }  # fmt: skip
