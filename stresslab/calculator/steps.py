"""What the engine closes of an account whose mark has come to its liquidation price and stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stresslab.calculator.bench import MICRO, Bench


@dataclass(frozen=True)
class ClosingStep:
    """One forced order, filled at the mark; money in USD."""

    after_seconds: float  # since the breach
    asset: str
    order: str  # buy or sell
    quantity: float
    price: float
    fee: float
    penalty: float  # to the insurance fund
    left: float  # of the position, signed


def closing_steps(bench: Bench, ticks: int) -> tuple[ClosingStep, ...]:
    """Return the forced orders in their order; it uses up the bench."""
    rows = bench.liquidated_at(ticks)
    names = list(rows)
    found = [
        dict(zip(names, row, strict=True)) for row in zip(*map(list, rows.values()), strict=True)
    ]
    held = bench_lots(bench)
    own = [row for row in found if row["account"] == 0 and row["filled_lots"] != 0]
    return tuple(_step(bench, row, held) for row in own)


def bench_lots(bench: Bench) -> list[int]:
    """Return the lots of every leg before the first order."""
    return [
        leg.side * grid.lots(leg.quantity)
        for leg, grid in zip(bench.legs, bench.grids, strict=True)
    ]


def _step(bench: Bench, row: dict[str, Any], held: list[int]) -> ClosingStep:
    place, lots = int(row["asset"]), int(row["filled_lots"])
    leg, grid = bench.legs[place], bench.grids[place]
    held[place] += lots
    return ClosingStep(
        after_seconds=float(row["step"] - 1),
        asset=leg.asset,
        order="buy" if lots > 0 else "sell",
        quantity=float(abs(lots) * grid.lot),
        price=float(int(row["mark_ticks"]) * grid.tick),
        fee=int(row["fee_micro_usd"]) / MICRO,
        penalty=int(row["penalty_micro_usd"]) / MICRO,
        left=float(held[place] * grid.lot),
    )
