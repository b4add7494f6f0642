"""Random venues and random accounts, many of them a micro-USD beside their liquidation."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from stresslab.core.declarations import build
from stresslab.experiment.documents import read_document
from stresslab.margin.portfolio.rules import PortfolioRules
from tests.reference.plain_add_ons import Sight, raise_rates
from tests.reference.plain_grid import grid_need
from tests.reference.plain_margin import Contract, exact, perpetual, spot

ROOT = Path(__file__).parents[2]
STEP = Fraction(1, 2)  # seconds
N_STEPS = 12
FLAT, ISOLATED, CROSS = 0, 1, 2
OKX_BETH = [  # 95, 85, 50 and 0 % by slices
    {"floor_usd": 0, "haircut": 0.05}, {"floor_usd": 2_000_000, "haircut": 0.15},
    {"floor_usd": 4_000_000, "haircut": 0.5}, {"floor_usd": 8_000_000, "haircut": 1},
]  # fmt: skip


def published_tables() -> list[list[dict[str, Any]]]:
    """Return leverage tables as venues published them."""
    found = []
    for row in json.loads((ROOT / "tests/data/leverage_tables.json").read_text(encoding="utf-8")):
        found.append([
            {"floor_usd": r[0], "maintenance_rate": r[2], "max_leverage": r[3]} for r in row["rows"]
        ])  # fmt: skip
    for pack in sorted((ROOT / "configs/venues").glob("*.yaml")):
        read = read_document(str(pack)).value
        found += read["scenario"]["margin"].get("brackets", {}).values()
    return [[dict(row) for row in table] for table in found]


@dataclass
class Venue:
    """A venue at one moment: its config, what it has seen and what follows by the text."""

    margin: dict[str, Any]
    units: list[int]  # micro-USD of one tick times one lot
    first: list[int]  # prices before the first step, ticks
    calm: list[float]  # volatility of a step
    seen: list[Sight]
    contracts: list[Contract]
    grid: PortfolioRules | None = None  # in place of the brackets in cross pools
    add_ons: dict[str, list[Fraction]] = field(default_factory=dict)  # maintenance, initial

    @property
    def marks(self) -> list[int]:
        return list(self.seen[-1].marks)

    @property
    def is_spot(self) -> list[bool]:
        return [contract.is_spot for contract in self.contracts]

    @property
    def names(self) -> list[str]:
        return [contract.name for contract in self.contracts]

    def is_breached(self, equity: int, need: int) -> bool:
        """Tell whether a pool is liquidated: below maintenance margin, or at it."""
        return equity < need or (self.margin["breach_at_equality"] and equity == need > 0)

    def factor(self, mode: int) -> Fraction:
        return exact(
            self.margin["isolated" if mode == ISOLATED else "cross"]["initial_margin_factor"]
        )


@dataclass
class Account:
    """Signed lots, modes and the cash of each pool, the wallet's first."""

    lots: list[int]
    modes: list[int]
    cash: list[int]


def random_venue(rng: random.Random, published: Sequence[list[dict[str, Any]]]) -> Venue:
    """Return a venue with 1 to 5 perpetuals and up to 2 spot assets, and add-ons or none."""
    n_perpetuals, n_spot = rng.randint(1, 5), rng.choice((0, 0, 1, 2))
    names = [f"P{k}" for k in range(n_perpetuals)] + [f"S{k}" for k in range(n_spot)]
    brackets = {
        name: rng.choice(published) if rng.random() < 0.7 else _random_table(rng)
        for name in names[:n_perpetuals]
    }
    caps = {name: rng.choice((3, 7, 20, 33)) for name in brackets if rng.random() < 0.2}
    is_grid = rng.random() < 0.25
    margin = {
        "breach_at_equality": rng.random() < 0.3,
        "brackets": brackets,
        "portfolio": _random_grid(rng, names) if is_grid else None,
        "max_leverage": caps,
        "isolated": {
            "closure": {"kind": "whole"}, "penalty_rate": 0.0,
            "initial_margin_factor": rng.choice((1.0, 1.25, 1.3)),
        },
        "cross": {
            "closure": {"kind": "whole"}, "penalty_rate": 0.0,
            "initial_margin_factor": rng.choice((1.0, 1.0, 1.1)),
        },
        "spot_haircut": rng.choice((0.0, 0.1, 0.35)),
        "collateral": {
            name: _random_haircut(rng) for name in names[n_perpetuals:] if rng.random() < 0.7
        },
        "requirement": _random_parts(rng, list(brackets), 0.05 if is_grid else 0.7),
    }  # fmt: skip
    units = [10 ** rng.randint(0, 4) for _ in names]
    contracts = [
        perpetual(name, unit, brackets[name], caps.get(name, 1000))
        if name in brackets
        else spot(name, unit, margin["collateral"].get(name), margin["spot_haircut"])
        for name, unit in zip(names, units, strict=True)
    ]
    venue = Venue(
        margin, units, [rng.randint(1_000, 100_000) for _ in names],
        [rng.choice((0.0, 0.0003, 0.002)) for _ in names], [], contracts,
    )  # fmt: skip
    venue.seen.extend(_random_steps(rng, venue))
    for a, contract in enumerate(contracts):
        parts = margin["requirement"].values()
        mine = [part for part in parts if contract.name in (part.get("assets") or names)]
        if mine and not contract.is_spot:
            added = raise_rates(contract, a, mine, venue.calm[a], venue.first[a], venue.seen, STEP)
            venue.add_ons[contract.name] = list(added)
    if is_grid:
        venue.grid = build(PortfolioRules, margin["portfolio"])
    return venue


def _random_table(rng: random.Random) -> list[dict[str, Any]]:
    """Return 1 to 14 brackets; floors are whole thousands of USD."""
    n, floor, rows = rng.choice((1, 2, 5, 10, 14)), 0, []
    rates = sorted(rng.sample(range(1, 400), n))
    leverage = min(1000, 1000 // (rates[0] + 1))
    for rate in rates:
        leverage = min(leverage, 999 // rate)
        rows.append(
            {"floor_usd": floor, "maintenance_rate": rate / 1000, "max_leverage": leverage or 1}
        )
        floor += 1000 * rng.randint(1, 10 ** rng.randint(1, 5))
    return rows


def _random_haircut(rng: random.Random) -> dict[str, Any]:
    rules: dict[str, Any] = {"initial_addition": rng.choice((0.0, 0.03, 0.1))}
    return {**rules, **({"tiers": OKX_BETH} if rng.random() < 0.5 else {"haircut": 0.07})}


def _random_parts(rng: random.Random, names: list[str], most: float) -> dict[str, Any]:
    """Return up to three parts of a dynamic requirement, announced up to ``most``."""
    made = {
        "volatility": {
            "estimator": rng.choice(("ewma", "realised")), "price": rng.choice(("mark", "index")),
            "half_life_seconds": 4.0, "window_seconds": rng.choice((2.0, 5.0)),
            "horizon_seconds": 30.0, **_follows(rng),
        },
        "depth": {"notional_usd": 250_000.0, **_follows(rng)},
        "open_interest": {"lower_cap_usd": 4e7, "upper_cap_usd": 1e8},
        "announced": {
            "initial": 0.03, "maintenance": rng.choice((0.0, 0.013, most)), "at_seconds": 2.0,
            "over_seconds": rng.choice((0.0, 7.0, 90.0)),
        },
    }  # fmt: skip
    chosen = rng.sample(sorted(made), rng.choice((0, 0, 1, 2, 3)))
    only = {"assets": names[:1]} if rng.random() < 0.3 else {}
    return {kind: {"kind": kind, **made[kind], **only} for kind in chosen}


def _random_grid(rng: random.Random, names: list[str]) -> dict[str, Any]:
    """Return a grid of scenarios that never asks for more than a position is worth."""
    moves = [0.0, *(rng.choice((-1, 1)) * rng.randint(1, 20) / 100 for _ in range(5))]
    return {
        "scenarios": [{"spot_move": m, "damping": rng.choice((1.0, 0.35))} for m in moves],
        "classes": {"one": rng.sample(names, rng.randint(0, len(names)))},
        "move_scale": {names[0]: rng.choice((0.5, 1.3))},
        "hedge_credit": rng.choice((0.0, 0.85, 1.0)),
        "break_move": rng.choice((0.0, 0.07)),
        "floor_of_net": rng.choice((0.0, 0.02)),
        "floor_of_hedged": rng.choice((0.0, 0.05)),
    }


def _follows(rng: random.Random) -> dict[str, Any]:
    rule = {"multiple": rng.choice((0.5, 3.0)), "above": rng.choice((0.0, 0.001)), "cap": 0.15}
    slow = {"rise_per_second": 0.004, "fall_per_second": 0.002, "floor": 0.001}
    both = {"maintenance": {**rule, **(slow if rng.random() < 0.5 else {})}}
    return {**both, "initial": {**rule, "multiple": 4.0}} if rng.random() < 0.5 else both


def _random_steps(rng: random.Random, venue: Venue) -> list[Sight]:
    marks, index, seen = list(venue.first), list(venue.first), []
    for step in range(1, N_STEPS + 1):
        index = [max(1, p + round(p * rng.gauss(0, 0.004))) for p in index]
        marks = [max(1, p + rng.randint(-3, 3)) for p in index]
        if step == N_STEPS and rng.random() < 0.3:  # so that lots reach floors exactly
            marks = [rng.choice((1_000, 5_000, 20_000)) for _ in marks]
        depth = [rng.randint(100_000, 10**8) for _ in marks]
        interest = [rng.randint(0, 14 * 10**13) for _ in marks]
        seen.append(Sight(step * STEP, marks, index, depth, interest))
    return seen


def random_account(rng: random.Random, venue: Venue) -> Account:
    """Return an account whose pools lie at their bar, a micro-USD beside it, or anywhere."""
    lots, modes = [], []
    for contract, mark in zip(venue.contracts, venue.marks, strict=True):
        worth = mark * contract.unit
        floor = rng.choice(contract.rows).floor
        if floor and rng.random() < 0.3:  # the last lot of a bracket, or the first of the next
            size = int(floor / worth) + rng.randint(0, 1)
        else:
            size = round(10 ** rng.uniform(6, 12 if venue.grid else 15) / worth)
        held = (
            size
            if rng.random() < 0.6 and 0 < size * worth < (10**12 if venue.grid else 2 * 10**15)
            else 0
        )
        side = 1 if contract.is_spot or rng.random() < 0.5 else -1
        lots.append(side * held)
        mode = CROSS if contract.is_spot or rng.random() < 0.5 else ISOLATED
        modes.append(mode if held else FLAT)
    account = Account(lots, modes, [0] * (len(lots) + 1))
    for pool in range(len(lots) + 1):
        value, need, held = pool_at(venue, account, pool, venue.marks)
        if pool == 0 or held:
            near = rng.choice((-1, 0, 0, 1, rng.randint(-(10**7), 10**7)))
            far = round(need * rng.choice((-0.3, 0.2, 1.0, 5.0))) + rng.randint(-9, 10**9)
            account.cash[pool] = need - value + (near if rng.random() < 0.5 else far)
    return account


def pool_at(
    venue: Venue, account: Account, pool: int, marks: Sequence[int]
) -> tuple[int, int, int]:
    """Return (equity, maintenance margin, gross notional) of a pool by the text, micro-USD."""
    equity, need, gross = account.cash[pool], 0, 0
    if pool == 0 and venue.grid:
        need = book_need(venue, account, marks, 0)
    for a, contract in enumerate(venue.contracts):
        mode = account.modes[a]
        if (pool == 0 and mode == CROSS) or (pool == 1 + a and mode == ISOLATED):
            value = account.lots[a] * marks[a] * contract.unit
            equity += value
            if pool > 0 or contract.is_spot or not venue.grid:
                margin = contract.maintenance(abs(value))
                need += -(-margin.numerator // margin.denominator)
            gross += abs(value)
    return equity, need, gross


def book_need(venue: Venue, account: Account, marks: Sequence[int], level: int) -> int:
    """Return what the scenarios ask of the cross positions: 0 maintenance, 1 initial margin."""
    values = {
        contract.name: lots * mark * contract.unit if mode == CROSS else 0
        for contract, lots, mode, mark in zip(
            venue.contracts, account.lots, account.modes, marks, strict=True
        )
    }
    coins = [contract.name for contract in venue.contracts if contract.is_spot]
    add_ons = {name: added[level] for name, added in venue.add_ons.items()}
    asked = grid_need(venue.grid, coins, values, level, add_ons)
    return asked if level == 0 else math.ceil(asked * venue.factor(CROSS))
