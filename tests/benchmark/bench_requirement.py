"""CPU time that each rule of dynamic margin adds to a step; run on request, prints JSON.

    python tests/benchmark/bench_requirement.py

A step of 1 million accounts in 5 assets with 10 brackets each: a part of ``margin.requirement``
takes in the marks and writes the rates, or pools are looked for that are short of margin at a call
level or below their initial margin. Times are in milliseconds, medians. All rules at once:
``bench_margin_step.py``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from stresslab.core.columns import make_accounts  # noqa: E402
from stresslab.core.declarations import build  # noqa: E402
from stresslab.margin.initial_calls import pools_to_call  # noqa: E402
from stresslab.margin.requirement import REQUIREMENTS  # noqa: E402
from stresslab.margin.requirement.in_force import RatesInForce  # noqa: E402
from stresslab.margin.requirement.part import Opening, Sight  # noqa: E402
from stresslab.model.sight import count_open_interest  # noqa: E402
from tests.benchmark.bench_sweep import N_ACCOUNTS, N_ASSETS, PRICE, UNIT_VALUE, tables  # noqa: E402

REPEATS = 25
FOLLOWS = {"initial": {"multiple": 1.0}, "maintenance": {"multiple": 1.0}}
PARTS = {
    "volatility": FOLLOWS,
    "depth": {"notional_usd": 1e6, **FOLLOWS},
    "open_interest": {"lower_cap_usd": 0.0, "upper_cap_usd": 1e13},
}


def milliseconds(work: Callable[[int], object]) -> float:
    """Return the median CPU time of a piece of work, which is told the repeat's number."""
    work(0)
    times = []
    for repeat in range(1, REPEATS + 1):
        start = time.process_time()
        work(repeat)
        times.append(time.process_time() - start)
    return round(1000 * statistics.median(times), 3)


def update(kind: str, position: np.ndarray) -> float:
    """Return the time in which one part sees a step and writes the rates."""
    names = [f"asset{a}" for a in range(N_ASSETS)]
    part = build(REQUIREMENTS[kind], {"maintenance": None, "initial": None, **PARTS[kind]})
    opening = Opening(1.0, PRICE.tolist(), [0.001] * N_ASSETS)
    rates = RatesInForce({kind: part}, names, tables((10,) * N_ASSETS), opening)

    def step(number: int) -> None:
        marks = (PRICE + number % 7).tolist()

        def interest() -> list[int]:
            lots = count_open_interest(position)
            return [int(n) * m * int(u) for n, m, u in zip(lots, marks, UNIT_VALUE, strict=True)]

        depth = [1e6 + number] * N_ASSETS
        rates.update(Sight(float(number), marks, marks, lambda: depth, interest))

    return milliseconds(step)


def main() -> None:
    """Print the cost of every rule."""
    draw = np.random.default_rng(7)
    accounts = make_accounts(N_ACCOUNTS, N_ASSETS)
    accounts.position[:] = draw.integers(-100, 101, accounts.position.shape)
    accounts.mode[:] = np.where(draw.random(accounts.mode.shape) < 0.5, 1, 2)
    accounts.cash[:] = 10**12
    found = {kind: update(kind, accounts.position) for kind in PARTS}
    venue = tables((10,) * N_ASSETS)
    out, levels = np.empty(accounts.cash.size, np.int64), np.array([800_000_000])
    found["call_below_initial"] = milliseconds(
        lambda _: pools_to_call(accounts, venue, PRICE, levels, out)
    )
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
