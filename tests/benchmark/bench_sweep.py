"""CPU time of one margin sweep of 1 million accounts in 5 assets; run on request, prints JSON.

    python tests/benchmark/bench_sweep.py

Marks move before every sweep, and every sweep looks at every account: nothing is kept from one to
the next. The goal is 6 ms for all mixes of cross and isolated positions, 12 ms when positions lie
in all of 10 brackets; none is set for wallets that a scenario grid margins. Every flagged set is
compared with exact integers for all pools, and with plain Python for some. ``share_of_copy`` is the
rate of reading, against that of ``np.copyto``.
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
from stresslab.margin.pools import breached_among, pool_states  # noqa: E402
from stresslab.margin.portfolio.rules import PortfolioRules  # noqa: E402
from stresslab.margin.rules import Bracket  # noqa: E402
from stresslab.margin.sweep import pools_short_of_margin  # noqa: E402
from stresslab.margin.tiers import RATE_UNIT, MarginTables, margin_tables  # noqa: E402
from tests.reference.plain_sweep import short_pools  # noqa: E402

N_ACCOUNTS, N_ASSETS = 1_000_000, 5
#: Brackets by asset, and the median position in lots of 200 USD.
MIXED, TEN = ((5, 7, 9, 10, 12), 55), ((10, 10, 10, 10, 10), 3000)
PRICE = np.full(N_ASSETS, 20_000)
UNIT_VALUE = np.full(N_ASSETS, 10_000)  # micro-USD
REPEATS = 25
N_PLAIN = 10_000


def tables(n_brackets: tuple[int, ...], grid: PortfolioRules | None = None) -> MarginTables:
    """Return so many brackets by asset, floors tripling from 20,000 USD, and a grid or none."""
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
            for name, n in zip(names, n_brackets, strict=True)
        },
        portfolio=grid,
    )
    return margin_tables(rules, names, np.zeros(N_ASSETS, np.int64), UNIT_VALUE)


def accounts(isolated_share: float, needs: MarginTables, median_lots: float) -> Accounts:
    """Return accounts with 2 positions on average, 1.5 % of them within 1 % of a breach."""
    rng = np.random.default_rng(7)
    made = make_accounts(N_ACCOUNTS, N_ASSETS)
    lots = np.rint(rng.lognormal(np.log(median_lots), 1.5, made.position.shape)).astype(np.int64)
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
    if needs.portfolio.size:  # as much beyond what the scenarios ask
        made.wallet[:] = 0
        value, asked, _ = pool_states(made, needs, PRICE, np.arange(N_ACCOUNTS))
        made.wallet[:] = (asked * (1.0 + buffer[0])).astype(np.int64) - value
    return made


def _maintenance(needs: MarginTables, a: int, notional: np.ndarray) -> np.ndarray:
    lines = needs.rate[a][:, None] / RATE_UNIT * notional - needs.deduction[a][:, None]
    return np.asarray(lines.max(axis=0))


def moved_marks() -> list[np.ndarray]:
    """Return the marks of every sweep: each asset within 0.015 % of its price, as in a second."""
    return list(PRICE + np.random.default_rng(8).integers(-3, 4, (REPEATS, N_ASSETS)))


def is_right(made: Accounts, needs: MarginTables, marks: np.ndarray, found: np.ndarray) -> bool:
    """Tell whether exact integers flag the same pools, and plain Python among the first."""
    exact = np.empty(made.cash.size, np.int64)
    n_exact = breached_among(made, needs, marks, np.arange(made.cash.size), exact)
    if needs.portfolio.size:
        return bool(np.array_equal(found, np.sort(exact[:n_exact])))
    first = found[found % N_ACCOUNTS < N_PLAIN].tolist()
    plain = short_pools(made, needs, marks.tolist(), RATE_UNIT, N_PLAIN)
    return bool(np.array_equal(found, np.sort(exact[:n_exact]))) and first == plain


def run(
    isolated_share: float,
    kind: tuple[tuple[int, ...], float],
    copied: float,
    grid: PortfolioRules | None = None,
) -> dict[str, object]:
    """Return the time of a sweep, in all and against a copy, and whether it flags right."""
    n_brackets, median_lots = kind
    needs = tables(n_brackets, grid)
    made = accounts(isolated_share, needs, median_lots)
    out = np.empty(made.cash.size, np.int64)
    right, times, marks = [], [], moved_marks()
    for place, prices in enumerate(marks):
        began = time.thread_time()
        found = pools_short_of_margin(made, needs, prices, RATE_UNIT, out)
        times.append(time.thread_time() - began)
        if place in (0, REPEATS - 1):
            right.append(found.size > 0 and is_right(made, needs, prices, found))
    read = made.position.nbytes + made.mode.nbytes + made.wallet.nbytes
    read += made.silo.nbytes if isolated_share > 0 else 0
    seconds = statistics.median(times[1:])
    return {
        "isolated_share": isolated_share,
        "brackets": n_brackets,
        "scenarios": 0 if grid is None else len(grid.scenarios),
        "milliseconds": round(1e3 * seconds, 2),
        "fastest": round(1e3 * min(times), 2),
        "share_of_copy": round(read / seconds / copied, 2),
        "flagged": int(found.size),
        "is_right": all(right),
    }


def copy_rate() -> float:
    """Return bytes a second that ``np.copyto`` copies."""
    block = np.zeros(N_ACCOUNTS * N_ASSETS)
    copy, times = np.empty_like(block), []
    for _ in range(REPEATS):
        began = time.thread_time()
        np.copyto(copy, block)
        times.append(time.thread_time() - began)
    return block.nbytes / statistics.median(times)


if __name__ == "__main__":
    copied = copy_rate()
    sweeps = [run(share, kind, copied) for kind in (MIXED, TEN) for share in (0, 0.5, 1)]
    grid = PortfolioRules(classes={"one": ("asset0", "asset1", "asset2")}, break_move=0.05)
    sweeps += [run(share, TEN, copied, grid) for share in (0, 0.5)]
    result = {"accounts": N_ACCOUNTS, "assets": N_ASSETS, "copy_gb_s": round(copied / 1e9, 1)}
    print(json.dumps({**result, "sweeps": sweeps}))
