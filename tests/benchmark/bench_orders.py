"""Order requests a second, end to end, of 1,000 traders who all act in every step; prints JSON.

    python tests/benchmark/bench_orders.py [repeats]

Noise traders and market makers in one perpetual and in five, margin, liquidation, fees, funding and
conservation on. Requests are new orders and orders cancelled. The same seed must give the same log.
The goal is 2 million requests a second.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stresslab.core.declarations import build
from stresslab.core.events import EventLog
from stresslab.model import StressModel
from stresslab.scenario import Scenario
from tests.benchmark.headline import digest

STEPS = 200
BRACKETS = [
    {"floor_usd": 0, "maintenance_rate": 0.004, "max_leverage": 125},
    {"floor_usd": 50_000, "maintenance_rate": 0.005, "max_leverage": 100},
    {"floor_usd": 500_000, "maintenance_rate": 0.01, "max_leverage": 50},
    {"floor_usd": 5_000_000, "maintenance_rate": 0.025, "max_leverage": 20},
]


def market(n_assets: int, n_makers: int, n_noise: int) -> Scenario:
    """Return a market in which everybody's turn comes in every step."""
    names = [f"asset{a}" for a in range(n_assets)]
    asset = {"initial_price_usd": 1000, "tick_size_usd": 0.1, "lot_size": 0.001}
    makers = {
        "strategy": {"kind": "market_maker"},
        "count": n_makers,
        "wealth": {"kind": "equal", "amount_usd": 1_000_000},
        "leverage": {"median": 5, "sigma": 0},
        "seconds_between_turns": 0,
    }
    noise = {
        "strategy": {"kind": "noise"},
        "count": n_noise,
        "wealth": {"kind": "lognormal", "median_usd": 20_000, "sigma": 1},
        "leverage": {"median": 5, "sigma": 0.5},
        "seconds_between_turns": 0,
    }
    return build(
        Scenario,
        {
            "step_seconds": 1,
            "duration_seconds": STEPS,
            "assets": dict.fromkeys(names, asset),
            "market": {"index": {"kind": "brownian", "daily_volatility": 0.04}},
            "margin": {"brackets": dict.fromkeys(names, BRACKETS)},
            "traders": {"makers": makers, "noise": noise},
        },
    )


def run(scenario: Scenario) -> tuple[float, EventLog]:
    """Return the seconds of a run, its opening included, and its log."""
    began = time.perf_counter()
    log = StressModel(scenario, seed=5, replicate=0).run()
    return time.perf_counter() - began, log


def measure(n_assets: int, n_makers: int, n_noise: int, repeats: int) -> dict[str, object]:
    """Return requests a second, the median over repeats in a warm process."""
    scenario = market(n_assets, n_makers, n_noise)
    _, first = run(scenario)
    runs = [run(scenario) for _ in range(repeats)]
    seconds, log = statistics.median(r[0] for r in runs), runs[-1][1]
    counts = {name: int(column[0]) for name, column in log.columns("counts").items()}
    requests = counts["orders"] + counts["cancelled"]
    return {
        "assets": n_assets,
        "makers": n_makers,
        "noise": n_noise,
        **counts,
        "seconds": round(seconds, 4),
        "requests_per_second": round(requests / seconds),
        "is_right": counts["fills"] > 0 and digest(first) == digest(log),
    }


if __name__ == "__main__":
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cases = [(1, 100, 900), (5, 100, 900), (1, 500, 500)]
    print(json.dumps([measure(*case, repeats) for case in cases]))
