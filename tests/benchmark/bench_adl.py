"""What one deficit costs with each policy: `python -m tests.benchmark.bench_adl [winners]`."""

from __future__ import annotations

import sys
import time

import numpy as np

from stresslab.liquidation.adl import ADL_POLICIES
from stresslab.liquidation.division import Contributors
from stresslab.liquidation.socialised import SOCIALISED_LOSSES

REPEATS = 20


def crowd(size: int) -> Contributors:
    """Return winners with skewed equity, as policies see them."""
    draws = np.random.default_rng(1)
    equity = (draws.pareto(1.0, size) * 1e9).astype(np.int64) % 10**14 + 1
    lots = draws.integers(1, 1000, size)
    value = lots * 60_000_000
    profit = value // 10
    most = np.minimum(profit, equity)
    return Contributors(
        side=-np.ones(size, np.int64), lots=lots, value=value, cost=value + profit, profit=profit,
        equity=equity, maintenance=value // 100, notional=value, wallet=equity - profit, most=most,
        bearable=most,
    )  # fmt: skip


def main() -> None:
    """Print milliseconds a deficit, the best of several, for every policy and variant."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    people = crowd(size)
    amount = int(people.bearable.sum() // 3)
    for title, table in (("policy", ADL_POLICIES), ("socialised", SOCIALISED_LOSSES)):
        for name, kind in table.items():
            kind().divide(amount, people)
            taken = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                kind().divide(amount, people)
                taken.append(time.perf_counter() - start)
            print(f"{title:10} {name:28} {size:,} pools: {1000 * min(taken):8.2f} ms")


if __name__ == "__main__":
    main()
