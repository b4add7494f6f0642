"""CPU time of a step's whole margin pass with every rule on at once; run on request, prints JSON.

    python tests/benchmark/bench_margin_step.py

One million accounts in 4 perpetuals and a spot collateral, 10 brackets each; half of the perpetuals
are isolated, at 1.25 times the initial margin; haircuts grow with the holding. In every step marks
move, open interest is counted, and add-ons by volatility, depth, open interest and announcement are
written into the rates; transfers from 2 chains land; one pass finds who is short at a call level or
below initial margin; those who are called send what they have on the chains. These are the calls of
``requirement`` and ``margin`` in the model's step. The goal is 12 ms; 3 % of pools lie within 1 %
of a bar. Whoever is called is compared with exact integers for all pools, and with plain Python for
some. ``times_a_copy`` is against ``np.copyto`` of the 93 MB that a sweep reads.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from stresslab.core.columns import Accounts, make_accounts  # noqa: E402
from stresslab.core.declarations import build  # noqa: E402
from stresslab.core.events import CROSS, FLAT, ISOLATED  # noqa: E402
from stresslab.core.ledger import make_house, make_journal  # noqa: E402
from stresslab.core.random import Streams  # noqa: E402
from stresslab.liquidation.modes import MarginAndClosure  # noqa: E402
from stresslab.margin.chains.book import ChainBook  # noqa: E402
from stresslab.margin.initial_calls import Called, pools_to_call  # noqa: E402
from stresslab.margin.pools import pool_states  # noqa: E402
from stresslab.margin.requirement.in_force import RatesInForce  # noqa: E402
from stresslab.margin.requirement.part import Opening, Sight  # noqa: E402
from stresslab.margin.tiers import (  # noqa: E402
    RATE_UNIT,
    MarginTables,
    initial_margins,
    margin_tables,
)
from stresslab.model.sight import count_open_interest  # noqa: E402
from tests.benchmark.bench_sweep import (  # noqa: E402
    N_ACCOUNTS,
    N_ASSETS,
    PRICE,
    REPEATS,
    UNIT_VALUE,
    copy_rate,
    moved_marks,
)
from tests.reference.plain_sweep import is_below_initial, pool_of  # noqa: E402

NAMES = [f"asset{a}" for a in range(N_ASSETS)]
IS_SPOT = (np.arange(N_ASSETS) == N_ASSETS - 1).astype(np.int64)
LEVEL = 800_000_000
FLOORS = [0.0, *(20_000.0 * 3**k for k in range(9))]
FOLLOWS = {"initial": {"multiple": 1.0}, "maintenance": {"multiple": 0.5}}
REQUIREMENT = {
    "volatility": {"kind": "volatility", **FOLLOWS},
    "depth": {"kind": "depth", "notional_usd": 1e6, **FOLLOWS},
    "interest": {"kind": "open_interest", "lower_cap_usd": 0.0, "upper_cap_usd": 1e13},
    "notice": {"kind": "announced", "at_seconds": 0.0, "over_seconds": 1000.0, "initial": 0.01},
}
CHAINS = {
    "near": {"haircut": 0.2, "in_flight_haircut": 0.1, "delay_seconds": 1.0},
    "far": {"haircut": 0.5, "in_flight_haircut": 0.3, "delay_seconds": 8.0, "delay_sigma": 1.0,
            "fee_usd": 1.0, "failure_probability": 0.1},
}  # fmt: skip
PARTS = ("rates", "pools to call", "chains")
N_PLAIN = 5_000


def venue() -> MarginAndClosure:
    """Return rules with all that a margin pass can meet."""
    rows = [{"floor_usd": floor, "maintenance_rate": 0.005 * k, "max_leverage": 90 // k}
            for k, floor in enumerate(FLOORS, start=1)]  # fmt: skip
    tiers = [{"floor_usd": floor, "haircut": 0.02 * k} for k, floor in enumerate(FLOORS, start=1)]
    brackets = {name: rows for name, spot in zip(NAMES, IS_SPOT, strict=True) if not spot}
    collateral = {NAMES[-1]: {"tiers": tiers, "initial_addition": 0.05}}
    rest = {"requirement": REQUIREMENT, "chains": CHAINS, "call_below_initial": True}
    return build(MarginAndClosure, {"brackets": brackets, "collateral": collateral, **rest})


def positions(rng: np.random.Generator) -> Accounts:
    """Return accounts with 2 positions on average, in all brackets, without money."""
    made = make_accounts(N_ACCOUNTS, N_ASSETS)
    made.id[:] = np.arange(N_ACCOUNTS)
    lots = np.rint(rng.lognormal(np.log(3000), 1.5, made.position.shape)).astype(np.int64)
    lots[rng.random(lots.shape) > 0.4] = 0
    is_spot = IS_SPOT[:, None] == 1
    made.position[:] = np.where((rng.random(lots.shape) < 0.5) & ~is_spot, -lots, lots)
    is_isolated = (rng.random(lots.shape) < 0.5) & ~is_spot
    made.mode[:] = np.where(lots == 0, FLAT, np.where(is_isolated, ISOLATED, CROSS))
    return made


def endow(made: Accounts, needs: MarginTables, rng: np.random.Generator) -> None:
    """Put 1.5 % of the pools near their call level, 1.5 % near initial margin, others beyond."""
    equity, maintenance, _ = pool_states(made, needs, PRICE, np.arange(made.cash.size))
    initial = equity - free_of_initial(made, needs, PRICE).ravel()
    luck, near = rng.random(equity.size), rng.normal(1.0, 0.005, equity.size)
    called = maintenance * RATE_UNIT / LEVEL
    far = np.maximum(initial, called) * (1.0 + rng.lognormal(0.5, 1.0, equity.size))
    wanted = np.where(luck < 0.015, called * near, np.where(luck < 0.03, initial * near, far))
    made.cash[:] = np.where(maintenance > 0, wanted - equity, 0).reshape(made.cash.shape)


def free_of_initial(made: Accounts, needs: MarginTables, marks: np.ndarray) -> np.ndarray:
    """Return what every pool (pools, N) has beyond the initial margin of its perpetuals."""
    free = made.cash.copy()
    for a in range(N_ASSETS):
        value = made.position[a] * marks[a] * UNIT_VALUE[a]
        if IS_SPOT[a]:
            whole, rest = np.divmod(value, RATE_UNIT)  # the product fits no 64 bits
            rate = needs.initial[a, 0]
            addition = whole * rate - (-rest * rate) // RATE_UNIT
            _, haircut, _ = pool_states(alone(made, a), needs, marks, np.arange(N_ACCOUNTS))
            free[0] += np.maximum(0, value - haircut - addition)
            continue
        for mode, pool in ((CROSS, 0), (ISOLATED, 1 + a)):
            rows = np.flatnonzero(made.mode[a] == mode)
            free[pool, rows] += value[rows]
            free[pool, rows] -= initial_margins(needs, a, np.abs(value[rows]), mode)
    return free


def alone(made: Accounts, asset: int) -> Accounts:
    """Return accounts that hold one asset and nothing else."""
    kept = make_accounts(N_ACCOUNTS, N_ASSETS)
    kept.position[asset], kept.mode[asset] = made.position[asset], made.mode[asset]
    return kept


class Venue:
    """Accounts and rules, and the calls that the model makes of them in a step."""

    def __init__(self) -> None:
        rules, rng = venue(), np.random.default_rng(7)
        self.tables = margin_tables(rules, NAMES, IS_SPOT, UNIT_VALUE)
        opening = Opening(1.0, PRICE.tolist(), [0.001] * N_ASSETS)
        self._rates = RatesInForce(rules.requirement, NAMES, self.tables, opening)
        self.accounts, self.seconds = positions(rng), []
        self.right: list[bool] = []
        self._rates.update(self._sight(0, PRICE))
        endow(self.accounts, self.tables, rng)
        house, journal = make_house(N_ASSETS), make_journal(N_ACCOUNTS, N_ASSETS)
        reserves = np.where(rng.random((len(CHAINS), N_ACCOUNTS)) < 0.05, 10**9, 0)
        self.accounts.wallet[:] += reserves.sum(axis=0)
        self._chains = ChainBook(rules.chains, self.accounts, house, journal, Streams(1, 0), 1.0)
        self._chains.keep(reserves)
        self._out = np.empty(self.accounts.cash.size, np.int64)

    def _sight(self, step: int, marks: np.ndarray) -> Sight:
        def interest() -> list[int]:
            lots = count_open_interest(self.accounts.position)
            return [int(x) for x in lots.astype(object) * marks * UNIT_VALUE]

        depth = [1e8 + step] * N_ASSETS
        return Sight(float(step), marks.tolist(), marks.tolist(), lambda: depth, interest)

    def margin(self, step: int, marks: np.ndarray, is_checked: bool) -> None:
        """Do what a step does for margin; compare who is called, or note how long it took."""
        times = [time.thread_time()]
        self._rates.update(self._sight(step, marks))
        times.append(time.thread_time())
        self._chains.arrive(step)
        levels = np.array([LEVEL])
        called = pools_to_call(self.accounts, self.tables, marks, levels, self._out)
        times.append(time.thread_time())
        if is_checked:
            self.right.append(is_right(self.accounts, self.tables, marks, called))
            self.called, self.short = called.pools.size, called.short.size
        self._chains.send(called.short[called.short < N_ACCOUNTS], step)
        times.append(time.thread_time())
        if not is_checked:
            self.seconds.append(np.diff(times))


def is_right(made: Accounts, needs: MarginTables, marks: np.ndarray, called: Called) -> bool:
    """Tell whether exact integers call the same pools, and plain Python among the first."""
    equity, maintenance, _ = pool_states(made, needs, marks, np.arange(made.cash.size))
    at_level = equity // RATE_UNIT * LEVEL + equity % RATE_UNIT * LEVEL // RATE_UNIT
    crossed = (equity < maintenance) | (at_level < maintenance)
    asked = holds_perpetuals(made) & (free_of_initial(made, needs, marks).ravel() < 0)
    levels = np.zeros(made.cash.size, np.int64)
    levels[called.pools] = called.levels
    plain = [
        (plain_levels(made, needs, marks.tolist(), pool, n), pool * N_ACCOUNTS + n)
        for pool in range(N_ASSETS + 1)
        for n in range(N_PLAIN)
    ]
    return (
        called.short.size > 5_000 and asked.sum() > crossed.sum()
        and np.array_equal(np.flatnonzero(crossed), called.short)
        and np.array_equal(levels, crossed.astype(int) + asked)
        and all(levels[code] == count for count, code in plain)
    )  # fmt: skip


def holds_perpetuals(made: Accounts) -> np.ndarray:
    """Tell of every pool code whether it holds a perpetual."""
    held = (made.position != 0) & (IS_SPOT == 0)[:, None]
    wallets = (held & (made.mode == CROSS)).any(axis=0)
    return np.concatenate([wallets[None], held & (made.mode == ISOLATED)]).ravel()


def plain_levels(made: Accounts, needs: MarginTables, marks: list[int], pool: int, n: int) -> int:
    """Return how many levels plain Python gives a pool, initial margin included."""
    equity, need = pool_of(made, needs, marks, pool, n)
    return (LEVEL * equity < RATE_UNIT * need) + is_below_initial(made, needs, marks, pool, n)


def main() -> None:
    """Print the time of a step's margin pass, in all, by parts, and against a copy."""
    copied, market = copy_rate(), Venue()
    for step, marks in enumerate(moved_marks(), start=1):
        market.margin(step, marks, is_checked=step in (2, REPEATS))
    parts = 1e3 * np.array(market.seconds[1:])
    whole = parts.sum(axis=1)
    read = sum(getattr(market.accounts, name).nbytes for name in ("position", "mode", "cash"))
    result = {
        "accounts": N_ACCOUNTS, "assets": N_ASSETS, "brackets": len(FLOORS),
        "milliseconds": round(float(np.median(whole)), 2), "fastest": round(whole.min(), 2),
        "times_a_copy": round(float(whole.min()) / 1e3 * copied / read, 2),
        "fastest_parts": dict(zip(PARTS, parts.min(axis=0).round(2).tolist(), strict=True)),
        "copy_gb_s": round(copied / 1e9, 1), "short": market.short, "called": market.called,
        "is_right": all(market.right),
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
