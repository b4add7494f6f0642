"""Seconds of one run of the headline study in a warm process; run on request, prints JSON.

    python tests/benchmark/bench_headline.py [repeats]

The goal is 0.6 s, better 0.15 s. Conservation is checked at every stage of every run; its share is
the time of as many checks as a run made. The same seed must give the same log.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stresslab.core.events import EventLog
from stresslab.core.ledger import Conservation
from stresslab.model import StressModel
from tests.benchmark.headline import digest, headline

SEED = 1010
ARMS = {"isolated": 0.0, "cross": 1.0}


def run(cross_share: float, replicate: int) -> tuple[float, float, StressModel, EventLog]:
    """Return seconds of the whole run, of opening the market, and what came of it."""
    scenario = headline(cross_share)
    began = time.perf_counter()
    model = StressModel(scenario, seed=SEED, replicate=replicate)
    opened = time.perf_counter()
    log = model.run()
    return time.perf_counter() - began, opened - began, model, log


def checking(model: StressModel, log: EventLog) -> float:
    """Return the seconds that a run's checks of conservation take."""
    clearing = model.world.clearing
    conservation = Conservation(clearing.accounts, clearing.house)
    steps = int(log.columns("totals")["step"].size)
    n_checks = 2 * steps + int(log.columns("totals")["rounds"].sum())
    began = time.perf_counter()
    for step in range(n_checks):
        conservation.check(clearing.accounts, clearing.house, step, "benchmark")
    return time.perf_counter() - began


def measure(cross_share: float, repeats: int) -> dict[str, object]:
    """Return medians over repeats of one replicate in a warm process."""
    _, _, _, first = run(cross_share, 1)
    runs = [run(cross_share, 1) for _ in range(repeats)]
    seconds = statistics.median(r[0] for r in runs)
    _, _, model, log = runs[-1]
    counts = log.columns("counts")
    return {
        "seconds": round(seconds, 4),
        "fastest": round(min(r[0] for r in runs), 4),
        "opening": round(statistics.median(r[1] for r in runs), 4),
        "share_of_checks": round(checking(model, log) / seconds, 4),
        "requests": int(counts["orders"][0] + counts["cancelled"][0]),
        "liquidations": int(log.columns("liquidations")["step"].size),
        "is_right": digest(first) == digest(log) and log.columns("forced_orders")["step"].size > 0,
    }


if __name__ == "__main__":
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(json.dumps({arm: measure(share, repeats) for arm, share in ARMS.items()}))
