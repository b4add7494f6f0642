"""One account in the engine itself, under the rules of a venue, at marks that stand still.

Everything that moves by itself is off: funding, add-ons, halts. Forced orders fill at the mark, so
a price is a price and steps are those of the venue's closure policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from stresslab.calculator.grid import Grid
from stresslab.core.declarations import build
from stresslab.core.errors import ConfigError
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import EXTERNAL, TRANSFER, pay_house
from stresslab.experiment.config import read_config
from stresslab.experiment.venues import read_pack
from stresslab.margin.pools import pool_states
from stresslab.margin.portfolio.book import INITIAL, NO_ASSET, book_requirement
from stresslab.model import StressModel
from stresslab.scenario import VENUES, Scenario

MICRO = 1_000_000
SECONDS = 120.0
_RICH = 1e9  # USD behind positions while they are opened
_IMPACT = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e12}}


class Leg(NamedTuple):
    """A position, or spot, as exact numbers; ``side`` is +1 long, -1 short."""

    asset: str
    kind: str
    side: int
    quantity: Fraction
    entry: Fraction  # USD
    mark: Fraction  # USD


class Bench:
    """The first leg is the one asked about; its pool is the account's silo or cross pool."""

    def __init__(self, venue: str, legs: Sequence[Leg], grids: Sequence[Grid], mode: str) -> None:
        self.legs, self.grids, self.mode = legs, grids, mode
        self.scenario = _scenario(venue, legs, grids, mode)
        self.model = StressModel(self.scenario, seed=0, replicate=0)
        self.clearing = self.model.world.clearing
        self.marks = self.model.world.board.ticks.copy()
        self.pool = 1 if mode == "isolated" else 0

    def give(self, money: Fraction) -> None:
        """Put money behind the positions, in USD: into the silo or the wallet.

        The pool has it less the cost of its entries; `external` has the rest.
        """
        c = self.clearing
        cost = sum(leg.side * leg.quantity * leg.entry for leg in self.legs if leg.kind != "spot")
        cash = (money - cost) * MICRO
        if cash.denominator != 1:
            raise ConfigError(f"quantity times entry: {float(cost):g} USD has over six decimals")
        surplus = int(c.accounts.cash[self.pool, 0]) - int(cash)
        pay_house(c.accounts, c.house, c.journal, 0, self.pool, EXTERNAL, surplus, TRANSFER)
        for place, leg in enumerate(self.legs):
            c.accounts.entry_cost[place, 0] = round(leg.side * leg.quantity * leg.entry * MICRO)

    def state(self, marks: np.ndarray | None = None) -> tuple[int, int]:
        """Return equity and maintenance margin of the pool at marks in ticks, micro-USD."""
        c = self.clearing
        code = np.array([self.pool * c.accounts.id.size])
        at = self.marks if marks is None else marks
        equity, need, _ = pool_states(c.accounts, c.tables, at, code)
        return int(equity[0]), int(need[0])

    def state_at(self, ticks: int) -> tuple[int, int]:
        """Return equity and maintenance margin with the first leg's mark elsewhere."""
        moved = self.marks.copy()
        moved[0] = ticks
        return self.state(moved)

    def state_without(self) -> tuple[int, int]:
        """Return what the pool has and needs at the marks without the first leg's value."""
        held = self.clearing.accounts.position
        kept, held[0, 0] = held[0, 0], 0
        found = self.state()
        held[0, 0] = kept
        return found

    def added_by_scenarios(self) -> int:
        """Return the initial margin that the first leg adds to a book under a grid, micro-USD."""
        c = self.clearing
        book = c.tables, self.marks, c.accounts.position, c.accounts.mode, 0, INITIAL
        return int(book_requirement(*book, NO_ASSET, 0)) - int(book_requirement(*book, 0, 0))

    def liquidated_at(self, ticks: int) -> dict[str, np.ndarray]:
        """Let the first leg's mark jump to a price and stay; return the forced orders."""
        self.model.world.index[1:, 0] = ticks
        return self.model.run().columns("forced_orders")


def _scenario(venue: str, legs: Sequence[Leg], grids: Sequence[Grid], mode: str) -> Scenario:
    lots = {
        leg.asset: leg.side * grid.lots(leg.quantity) for leg, grid in zip(legs, grids, strict=True)
    }
    assets = {leg.asset: _asset(leg, grid) for leg, grid in zip(legs, grids, strict=True)}
    other_side = {name: -held for name, held in lots.items() if assets[name]["kind"] != "spot"}
    group: dict[str, Any] = {
        "strategy": {"kind": "passive"},
        "leverage": {"median": 1.0},
        "margin_mode": {"kind": "fixed_share", "cross_share": float(mode == "cross")},
    }
    other = {**group, "margin_mode": {"kind": "fixed_share", "cross_share": 1.0}}
    values = {
        "name": "margin",
        "seed": 0,
        "scenario": {
            "venue": venue,
            "step_seconds": 1.0,
            "duration_seconds": SECONDS,
            "assets": assets,
            "market": {
                "book": _IMPACT,
                "index": {"kind": "constant"},
                "mark": {"rule": "index", "half_life_seconds": 1.0},
                "circuit_breaker": None,
            },
            "margin": {"requirement": dict.fromkeys(_parts(venue)), "call_below_initial": False},
            "liquidation": {"feedback": "no_feedback", "price_band": None},
            "traders": {
                "account": {**group, "accounts": [{"wealth_usd": _RICH, "positions": lots}]},
                "others": {**other, "accounts": [{"wealth_usd": _RICH, "positions": other_side}]},
            },
        },
        "designs": {"one": {"replicates": 1}},
    }
    return build(Scenario, read_config(values).values["scenario"])


def _parts(venue: str) -> list[str]:
    rules = read_pack(venue).value["scenario"]["margin"] if venue in VENUES else {}
    return list(rules.get("requirement") or {})


def _asset(leg: Leg, grid: Grid) -> dict[str, Any]:
    return {
        "kind": leg.kind,
        "initial_price_usd": float(leg.mark),
        "tick_size_usd": float(grid.tick),
        "lot_size": float(grid.lot),
    }


def mode_of(name: str) -> int:
    """Return the engine's number of a margin mode."""
    return ISOLATED if name == "isolated" else CROSS
