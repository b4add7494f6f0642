"""Time of one margin sweep of 1 million accounts in 5 assets; run on request, prints JSON.

    python tests/benchmark/bench_sweep.py

Every flagged set is compared with exact integers for all pools, and with plain Python for some.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from stresslab.core.columns import Accounts, make_accounts  # noqa: E402
from stresslab.core.events import CROSS, FLAT, ISOLATED  # noqa: E402
from stresslab.liquidation.modes import MarginAndClosure  # noqa: E402
from stresslab.margin.pools import breached_among  # noqa: E402
from stresslab.margin.rules import Bracket  # noqa: E402
from stresslab.margin.sweep import pools_short_of_margin  # noqa: E402
from stresslab.margin.tiers import RATE_UNIT, MarginTables, margin_tables  # noqa: E402

N_ACCOUNTS, N_BRACKETS = 1_000_000, (5, 7, 9, 10, 12)
N_ASSETS = len(N_BRACKETS)
PRICE = np.full(N_ASSETS, 20_000)
UNIT_VALUE = np.full(N_ASSETS, 10_000)  # micro-USD
REPEATS = 15
N_PLAIN = 20_000


def tables() -> MarginTables:
    """Return 5 to 12 brackets by asset, floors tripling from 20,000 USD."""
    names = [f"asset{a}" for a in range(N_ASSETS)]
    rules = MarginAndClosure(
        brackets={
            name: tuple(
                Bracket(
                    floor_usd=0.0 if k == 0 else 20_000.0 * 3 ** (k - 1),
                    maintenance_rate=round(0.005 * (k + 1), 4),
                    max_leverage=float(90 // (k + 1)),
                )
                for k in range(n)
            )
            for name, n in zip(names, N_BRACKETS, strict=True)
        }
    )
    return margin_tables(rules, names, np.zeros(N_ASSETS, np.int64), UNIT_VALUE)


def accounts(isolated_share: float, needs: MarginTables) -> Accounts:
    """Return accounts with 2 positions on average, 1.5 % of them within 1 % of a breach."""
    rng = np.random.default_rng(7)
    made = make_accounts(N_ACCOUNTS, N_ASSETS)
    lots = np.rint(rng.lognormal(4.0, 1.5, made.position.shape)).astype(np.int64)
    lots[rng.random(lots.shape) > 0.4] = 0
    made.position[:] = np.where(rng.random(lots.shape) < 0.5, lots, -lots)
    is_isolated = rng.random(lots.shape) < isolated_share
    made.mode[:] = np.where(made.position == 0, FLAT, np.where(is_isolated, ISOLATED, CROSS))
    worth = made.position * (PRICE * UNIT_VALUE)[:, None]
    need = np.array([_maintenance(needs, a, np.abs(worth[a])) for a in range(N_ASSETS)])
    far = rng.lognormal(0.5, 1.0, (N_ASSETS + 1, N_ACCOUNTS)) + 0.02
    near = rng.random(far.shape) < 0.015
    buffer = np.where(near, rng.normal(0.0, 0.005, far.shape), far)
    is_silo, is_cross = made.mode == ISOLATED, made.mode == CROSS
    silo = need * (1.0 + buffer[1:]) - worth
    made.silo[:] = np.where(is_silo, silo, 0).astype(np.int64)
    pooled = (need * is_cross).sum(axis=0) * (1.0 + buffer[0]) - (worth * is_cross).sum(axis=0)
    made.wallet[:] = pooled.astype(np.int64)
    return made


def _maintenance(needs: MarginTables, a: int, notional: np.ndarray) -> np.ndarray:
    lines = needs.rate[a][:, None] / RATE_UNIT * notional - needs.deduction[a][:, None]
    return np.asarray(lines.max(axis=0))


def plain_breaches(made: Accounts, needs: MarginTables) -> list[int]:
    """Return the codes of pools in breach among the first accounts, in Python's own integers."""
    found = []
    for n in range(N_PLAIN):
        equity = [int(c) for c in made.cash[:, n]]
        need = [0] * (N_ASSETS + 1)
        for a in range(N_ASSETS):
            value = int(made.position[a, n]) * int(PRICE[a] * UNIT_VALUE[a])
            pool = 1 + a if made.mode[a, n] == ISOLATED else 0
            equity[pool] += value
            k = max(k for k in range(N_BRACKETS[a]) if k == 0 or abs(value) > needs.floor[a, k])
            rate, less = int(needs.rate[a, k]), int(needs.deduction[a, k])
            need[pool] += -(-abs(value) * rate // RATE_UNIT) - less
        found += [p * N_ACCOUNTS + n for p in range(N_ASSETS + 1) if equity[p] < need[p]]
    return sorted(found)


def run(isolated_share: float) -> dict[str, object]:
    """Return the median time of a sweep and whether it flags the right pools."""
    needs = tables()
    made = accounts(isolated_share, needs)
    out = np.empty(made.cash.size, np.int64)
    found = pools_short_of_margin(made, needs, PRICE, RATE_UNIT, out)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        pools_short_of_margin(made, needs, PRICE, RATE_UNIT, out)
        times.append(time.perf_counter() - began)
    exact = np.empty(made.cash.size, np.int64)
    n_exact = breached_among(made, needs, PRICE, np.arange(made.cash.size), exact)
    first = found[found % N_ACCOUNTS < N_PLAIN].tolist()
    return {
        "isolated_share": isolated_share,
        "milliseconds": round(1e3 * statistics.median(times), 2),
        "fastest": round(1e3 * min(times), 2),
        "flagged": int(found.size),
        "is_right": bool(np.array_equal(found, np.sort(exact[:n_exact])))
        and first == plain_breaches(made, needs),
    }


if __name__ == "__main__":
    block = np.zeros(N_ACCOUNTS * N_ASSETS)
    copy = np.empty_like(block)
    times = []
    for _ in range(9):
        began = time.perf_counter()
        np.copyto(copy, block)
        times.append(time.perf_counter() - began)
    result = {"accounts": N_ACCOUNTS, "assets": N_ASSETS, "brackets": N_BRACKETS}
    result["copy_of_positions_ms"] = round(1e3 * statistics.median(times), 2)
    result["sweeps"] = [run(share) for share in (0.0, 0.5, 1.0)]
    print(json.dumps(result))
