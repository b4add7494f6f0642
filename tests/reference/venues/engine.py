"""Accounts of the engine under the rules of a venue, for published examples.

Columns are written by hand and asked with the engine's own kernels; where an example stands on
other rates than the venue has now, it says so, as a config would: the pack is only the base.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.columns import make_accounts
from stresslab.core.declarations import build
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.rational import exact
from stresslab.experiment.config import read_config
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import margin_tables
from stresslab.scenario import Scenario

MICRO = 1_000_000
_FILE = Path(__file__).parents[2] / "data" / "margin_vectors.json"
VECTORS = {vector["id"]: vector for vector in json.loads(_FILE.read_text("utf-8"))}


class Position(NamedTuple):
    """A position, its size signed, and the steps of its prices and sizes."""

    size: Any
    mark: Any
    tick: str = "0.0001"
    lot: str = "0.01"


def bracket(rate: Any, leverage: float = 1.0, floor: float = 0.0) -> dict[str, float]:
    """Return one row of a leverage table."""
    return {"floor_usd": floor, "maintenance_rate": float(rate), "max_leverage": leverage}


def rules_of(venue: str, names: list[str], **own: Any) -> Scenario:
    """Return the rules of a venue for perpetuals; ``own`` are sections that lie over the pack."""
    asset = {"initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    one = {"strategy": {"kind": "passive"}, "accounts": [{"wealth_usd": 1.0}]}
    scenario = {
        "venue": venue, "step_seconds": 1, "duration_seconds": 1,
        "assets": dict.fromkeys(names, asset), "traders": {"one": one}, **own,
    }  # fmt: skip
    values = {"name": "one", "seed": 1, "scenario": scenario, "designs": {"d": {"replicates": 1}}}
    return build(Scenario, read_config(values).values["scenario"])


class EngineAccount:
    """One account of the engine; the first position is the one asked about."""

    def __init__(
        self, venue: str, positions: dict[str, Position], equity: Any, mode: str = "isolated",
        **own: Any,
    ) -> None:  # fmt: skip
        names = list(positions)
        self.rules = rules_of(venue, names, **own)
        self.grids = [(exact(p.tick), exact(p.lot)) for p in positions.values()]
        units = np.array([int(tick * lot * MICRO) for tick, lot in self.grids], np.int64)
        self.tables = margin_tables(self.rules.margin, names, np.zeros(len(names), np.int64), units)
        self.accounts = make_accounts(1, len(names))
        self.accounts.mode[:] = ISOLATED if mode == "isolated" else CROSS
        self.accounts.allotment_rate[:] = 0
        self.pool = 1 if mode == "isolated" else 0
        self.marks = np.zeros(len(names), np.int64)
        value = Fraction(0)
        for place, (position, (tick, lot)) in enumerate(
            zip(positions.values(), self.grids, strict=True)
        ):
            self.marks[place] = round(exact(position.mark) / tick)
            self.accounts.position[place, 0] = round(exact(position.size) / lot)
            value += exact(position.size) * int(self.marks[place]) * tick
        self.accounts.cash[self.pool, 0] = round((exact(equity) - value) * MICRO)

    def state(self, ticks: int | None = None) -> tuple[int, int]:
        """Return equity and maintenance margin with the first mark at a price, micro-USD."""
        marks = self.marks.copy()
        marks[0] = marks[0] if ticks is None else ticks
        return pool_state(self.accounts, self.tables, marks, self.pool, 0)[:2]

    def state_at(self, price: Any) -> tuple[int, int]:
        """Return equity and maintenance margin with the first mark at a price in USD."""
        return self.state(round(exact(price) / self.grids[0][0]))

    def breach_price(self) -> float:
        """Walk away from the mark by halves, return the first price at which the flag is up."""
        side = 1 if self.accounts.position[0, 0] > 0 else -1
        sound = int(self.marks[0])
        breached = 1 if side > 0 else 100 * sound
        assert not self.is_in_breach(sound) and self.is_in_breach(breached)
        while abs(sound - breached) > 1:
            middle = (sound + breached) // 2
            if self.is_in_breach(middle):
                breached = middle
            else:
                sound = middle
        return float(breached * self.grids[0][0])

    def is_in_breach(self, ticks: int) -> bool:
        """Return the engine's flag with the first mark at a price."""
        equity, need = self.state(ticks)
        return equity < need

    def meets(self, vector: dict[str, Any], key: str = "liq_price") -> bool:
        """Tell whether the flag flips within the example's tolerance, or a tick, of its price."""
        expected, tolerance = vector["expected"][key], vector["tol"]
        allowed = tolerance.get("abs", 0) + tolerance.get("rel", 0) * abs(expected)
        return abs(self.breach_price() - expected) <= allowed + 1.5 * float(self.grids[0][0])
