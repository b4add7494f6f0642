"""Markets of noise traders and ten leveraged value funds each, side by side by leverage limit.

Noise traders are the index and the impact law: they spend an amount whose log is drawn back to
what all shares are worth, on the shares that the funds leave them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stresslab.market.impact.fixed_supply import DEPTH_OF_SUPPLY
from stresslab.results.frames import Tables
from stresslab.validation.simulated import simulated

SUPPLY = 1e9  # lots, a millionth of a share of the source each
FUNDS = 10
KEPT = 0.99  # of the log distance of noise demand from its mean, each step
VOLATILITY = 0.035  # of its innovations
_STEP = 86_400.0
_BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": 0.001, "max_leverage": 100.0}]


def scenario(leverages: Sequence[float], markets: int, steps: int) -> dict[str, Any]:
    """Return so many markets for each leverage limit."""
    names = [[f"M{group}_{n}" for n in range(markets)] for group in range(len(leverages))]
    every = [name for group in names for name in group]
    law = {"kind": "fixed_supply", "depth_usd": DEPTH_OF_SUPPLY * SUPPLY}
    half_life = _STEP * math.log(2.0) / -math.log(KEPT)
    return {
        "step_seconds": _STEP,
        "duration_seconds": steps * _STEP,
        "assets": {name: {"kind": "perpetual", "initial_price_usd": 1.0, "tick_size_usd": 1e-6,
                          "lot_size": 1.0} for name in every},
        "market": {
            "book": {"kind": "impact", "law": law, "clearing": "together", "fill_price": "after"},
            "index": {"kind": "reverting", "daily_volatility": VOLATILITY,
                      "half_life_seconds": half_life},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
            "funding": {"interval_seconds": 1e9},
        },
        "margin": {"brackets": dict.fromkeys(every, _BRACKETS)},
        "traders": {
            f"funds_{place}": {
                "strategy": {"kind": "value_fund", "most_leverage": limit, "supply": SUPPLY,
                             "clears_lowest": True},
                "count": FUNDS * markets,
                "wealth": {"kind": "equal", "amount_usd": 1e10},
                "leverage": {"median": 50.0},
                "holdings": {"kind": "flat", "is_specialised": True},
                "assets": group,
                "seconds_between_turns": 0.0,
            }
            for place, (limit, group) in enumerate(zip(leverages, names, strict=True))
        },
    }  # fmt: skip


def prices(tables: Tables, markets: int, settled: int) -> np.ndarray:
    """Return the marks after ``settled`` steps, shape (leverages, markets, steps)."""
    path = tables["path"]
    n_assets = int(path["asset"].max()) + 1
    marks = path["mark_ticks"].reshape(-1, n_assets)
    if not np.array_equal(path["asset"][:n_assets], np.arange(n_assets)):
        raise AssertionError("the path is not in the order of assets")
    kept = marks[settled:].T
    shaped: np.ndarray = kept.reshape(-1, markets, kept.shape[1])
    return shaped


def run(
    leverages: Sequence[float], markets: int, steps: int, settled: int, seed: int
) -> np.ndarray:
    """Return the prices of the markets of each leverage limit, in ticks."""
    tables, _ = simulated(scenario(leverages, markets, settled + steps), seed)
    return prices(tables, markets, settled)
