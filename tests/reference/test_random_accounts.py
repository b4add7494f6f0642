"""The compiled engine equals the text in Fractions on random accounts, to the micro-USD.

Equity, maintenance and initial margin, who is in breach, and the reported liquidation price, which
is the first tick at which the engine's own flag flips. In full, with counts:

    REFERENCE_ACCOUNTS=100000 python -m pytest -s tests/reference/test_random_accounts.py
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np

from stresslab.calculator.breach import first_breach, found_breach
from stresslab.core.columns import Accounts, make_accounts
from stresslab.core.declarations import build, faults
from stresslab.liquidation.modes import MarginAndClosure
from stresslab.margin.initial_calls import pools_to_call
from stresslab.margin.leverage_table import leverage_table
from stresslab.margin.liquidation_price import TabledLeg, linear_in_tables
from stresslab.margin.pools import breached_among, pool_states
from stresslab.margin.requirement.in_force import RatesInForce
from stresslab.margin.requirement.part import Opening, Sight
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, MarginTables, initial_margins, margin_tables
from tests.reference.random_accounts import (
    CROSS,
    ISOLATED,
    STEP,
    Account,
    Venue,
    book_need,
    pool_at,
    published_tables,
    random_account,
    random_venue,
)

N_ACCOUNTS = int(os.environ.get("REFERENCE_ACCOUNTS", "600"))
FARTHEST = 1 << 30  # ticks
PER_VENUE = 20 if N_ACCOUNTS < 10_000 else 500


@dataclass
class Engine:
    """The columns of a venue's accounts, and the kernels asked about them."""

    tables: MarginTables
    accounts: Accounts
    marks: np.ndarray

    @property
    def last(self) -> int:
        """The micro-USD without which a pool at its maintenance margin is in breach, or 0."""
        return int(self.tables.at_equality[0])

    def states(self, pools: np.ndarray) -> list[tuple[int, int, int]]:
        found = pool_states(self.accounts, self.tables, self.marks, pools)
        return list(zip(*(column.tolist() for column in found), strict=True))

    def short(self) -> list[int]:
        room = np.empty(self.accounts.cash.size, np.int64)
        found = pools_short_of_margin(self.accounts, self.tables, self.marks, RATE_UNIT, room)
        return found.tolist()

    def is_breached(self, code: int, asset: int, ticks: int) -> bool:
        """Return the flag of a pool with one asset's mark at a price."""
        marks = self.marks.copy()
        marks[asset] = ticks
        one = np.array([code])
        return bool(breached_among(self.accounts, self.tables, marks, one, one.copy()))

    def searched_price(self, code: int, asset: int, n: int) -> int | None:
        """Return the price that is reported of a position that scenarios margin, in ticks."""

        def state_at(ticks: int) -> tuple[int, int]:
            marks = self.marks.copy()
            marks[asset] = ticks
            return replace(self, marks=marks).states(np.array([code]))[0][:2]

        rules = SimpleNamespace(margin=SimpleNamespace(breach_at_equality=self.last))
        bench = SimpleNamespace(state_at=state_at, scenario=rules)
        return found_breach(bench, 1 if self.accounts.position[asset, n] > 0 else -1)

    def reported_price(self, code: int, asset: int, n: int) -> int | None:
        """Return the liquidation price that is reported of a position, in ticks."""
        held = self.accounts.position[asset]
        lots = int(held[n])
        held[n] = 0
        ((equity, need, _),) = self.states(np.array([code]))
        held[n] = lots
        n_rows = int(self.tables.n_lines[asset])
        rows = zip(self.tables.floor[asset, :n_rows].tolist(),
                   self.tables.rate[asset, :n_rows].tolist(), strict=True)  # fmt: skip
        table = leverage_table([(floor, Fraction(rate, RATE_UNIT)) for floor, rate in rows])
        side = 1 if lots > 0 else -1
        size = abs(lots) * int(self.tables.unit_value[asset])
        leg = TabledLeg(side, size, Fraction(0), table)
        return first_breach(linear_in_tables(Fraction(equity - need - self.last), [leg]), side, 1)


def engine_of(venue: Venue, people: list[Account]) -> Engine:
    """Return the engine's columns and tables for a config and accounts."""
    rules = build(MarginAndClosure, venue.margin)
    assert not list(faults(rules))
    is_spot = np.array(venue.is_spot, np.int64)
    tables = margin_tables(rules, venue.names, is_spot, np.array(venue.units))
    opening = Opening(float(STEP), venue.first, venue.calm)
    rates = RatesInForce(rules.requirement, venue.names, tables, opening)
    for s in venue.seen:
        depth, interest = [float(d) for d in s.depth_usd], list(s.open_micro_usd)
        rates.update(Sight(float(s.seconds), list(s.marks), list(s.index),
                           lambda depth=depth: depth, lambda found=interest: found))  # fmt: skip
    accounts = make_accounts(len(people), len(venue.names))
    for n, person in enumerate(people):
        accounts.position[:, n], accounts.mode[:, n] = person.lots, person.modes
        accounts.cash[:, n] = person.cash
    return Engine(tables, accounts, np.array(venue.marks, np.int64))


def compare(venue: Venue, people: list[Account], seen: Counter[str]) -> None:
    """Hold the engine to the text on every pool and every position of some accounts."""
    engine = engine_of(venue, people)
    n, pools = len(people), range(len(venue.names) + 1)
    codes = [(pool, k) for pool in pools for k in range(n)
             if pool == 0 or people[k].modes[pool - 1] == ISOLATED]  # fmt: skip
    expected = [pool_at(venue, people[k], pool, venue.marks) for pool, k in codes]
    array = np.array([pool * n + k for pool, k in codes])
    assert engine.states(array) == expected
    short = [
        int(c)
        for c, (equity, need, _) in zip(array, expected, strict=True)
        if venue.is_breached(equity, need)
    ]
    assert engine.short() == short
    seen["accounts"] += n
    seen["pools"] += len(codes)
    seen["pools in breach"] += len(short)
    seen["pools at their bar"] += sum(e == need > 0 for e, need, _ in expected)
    seen["pools a micro-USD below"] += sum(e == need - 1 for e, need, _ in expected)
    compare_initial(venue, people, engine, codes, expected, seen)
    for k, person in enumerate(people):
        for asset, lots in enumerate(person.lots):
            if lots and not venue.is_spot[asset]:
                pool = 1 + asset if person.modes[asset] == ISOLATED else 0
                compare_price(venue, person, engine, pool, k, asset, seen)


def compare_initial(
    venue: Venue, people: list[Account], engine: Engine, codes: list[tuple[int, int]],
    states: list[tuple[int, int, int]], seen: Counter[str],
) -> None:  # fmt: skip
    """Compare every position's initial margin, and which pools have less than that."""
    needs: dict[tuple[int, int], int] = {}
    for asset, (contract, mark) in enumerate(zip(venue.contracts, venue.marks, strict=True)):
        for mode in (ISOLATED, CROSS):
            rows = [k for k, p in enumerate(people) if p.modes[asset] == mode]
            sizes = [abs(people[k].lots[asset]) * mark * contract.unit for k in rows]
            found = initial_margins(engine.tables, asset, np.array(sizes, np.int64), mode).tolist()
            assert found == [contract.initial(size, venue.factor(mode)) for size in sizes]
            needs.update({(asset, k): need for k, need in zip(rows, found, strict=True)})
    levels, expected = (600_000_000, 900_000_000), {}
    for (pool, k), (equity, need, _) in zip(codes, states, strict=True):
        held = [a for a, mode in enumerate(people[k].modes)
                if mode == (CROSS if pool == 0 else ISOLATED) and pool in (0, 1 + a)]  # fmt: skip
        coins = [a for a in held if venue.is_spot[a]]
        value = {a: people[k].lots[a] * venue.marks[a] * venue.units[a] for a in coins}
        by_scenarios = venue.grid is not None and pool == 0
        free = equity - sum(needs[a, k] for a in (coins if by_scenarios else held))
        free -= book_need(venue, people[k], venue.marks, 1) if by_scenarios else 0
        free += sum(venue.contracts[a].backing(value[a]) for a in coins)
        is_below = free < 0 and len(held) > len(coins)
        crossed = sum(level * equity < RATE_UNIT * need for level in levels)
        expected[pool * len(people) + k] = crossed, is_below
        seen["pools below initial margin"] += is_below
        seen["pools short at a level"] += crossed == 1
    out = np.empty(engine.accounts.cash.size, np.int64)
    found = pools_to_call(engine.accounts, engine.tables, engine.marks, np.array(levels), out)
    assert found.short.tolist() == [code for code, (crossed, _) in expected.items() if crossed]
    asked = {code: sum(both) for code, both in expected.items() if any(both)}
    assert dict(zip(found.pools.tolist(), found.levels.tolist(), strict=True)) == asked


def compare_price(
    venue: Venue, person: Account, engine: Engine, pool: int, k: int, asset: int,
    seen: Counter[str],
) -> None:  # fmt: skip
    """Compare a position's liquidation price, and the flags a tick to either side of it."""
    contract, lots = venue.contracts[asset], person.lots[asset]
    side = 1 if lots > 0 else -1
    code = pool * engine.accounts.position.shape[1] + k
    if venue.grid and pool == 0:
        expected = engine.searched_price(code, asset, k)
        seen["prices under scenarios"] += 1
    elif side > 0 and contract.rows[-1].rate == 1:
        seen["longs that need their whole value"] += 1
        return
    else:
        met = price_met(venue, person, pool, asset)
        expected = first_tick(met, side)
        assert engine.reported_price(code, asset, k) == expected
        seen["prices on a tick"] += met is not None and met.denominator == 1
    mode = "isolated" if pool else "cross"
    seen[f"{mode} {'long' if side > 0 else 'short'}s"] += 1
    if expected is None:
        assert not engine.is_breached(code, asset, 1 if side > 0 else FARTHEST)
        seen["without a liquidation price"] += 1
        return
    marks = list(venue.marks)
    for ticks in (expected - 1, expected, expected + 1):
        if ticks < 1:
            continue
        marks[asset] = ticks
        equity, need, _ = pool_at(venue, person, pool, marks)
        flag = engine.is_breached(code, asset, ticks)
        assert flag == venue.is_breached(equity, need) == ((expected - ticks) * side >= 0)
        seen["flags at a liquidation price and a tick beside it"] += 1


def price_met(venue: Venue, person: Account, pool: int, asset: int) -> Fraction | None:
    """Return where a position's pool meets its maintenance margin by the closed form."""
    contract, lots = venue.contracts[asset], person.lots[asset]
    equity, need, _ = pool_at(venue, person, pool, venue.marks)
    value = lots * venue.marks[asset] * contract.unit
    own = contract.maintenance(abs(value))
    money = Fraction(equity - value - (need - -(-own.numerator // own.denominator)))
    money -= int(venue.margin["breach_at_equality"])  # whole units: at most is less than one more
    return contract.price_met(1 if lots > 0 else -1, abs(lots), money)


def first_tick(met: Fraction | None, side: int) -> int | None:
    """Return the first tick beyond the price at which equity meets maintenance margin."""
    if side > 0:
        last = 0 if met is None else -(-met.numerator // met.denominator) - 1
        return last if last >= 1 else None
    return 1 if met is None else met.numerator // met.denominator + 1


def test_the_compiled_engine_equals_the_text_in_fractions() -> None:
    rng = random.Random(33)
    published, seen = published_tables(), Counter[str]()
    kinds: Counter[str] = Counter()
    while seen["accounts"] < N_ACCOUNTS:
        venue = random_venue(rng, published)
        kinds.update(list(venue.margin["requirement"]) or ["brackets alone"])
        size = min(PER_VENUE, N_ACCOUNTS - seen["accounts"])
        compare(venue, [random_account(rng, venue) for _ in range(size)], seen)
    if N_ACCOUNTS > 10_000:
        print(*(f"{count:>9,} {what}" for what, count in seen.items()), sep="\n")
        print("venues:", dict(kinds))
    few: Any = {what: count for what, count in seen.items() if count * 20 < N_ACCOUNTS}
    assert (
        set(few) <= {"prices on a tick", "longs that need their whole value"} and len(kinds) == 5
    ), "every case is met often"
