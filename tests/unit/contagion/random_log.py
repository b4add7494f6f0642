"""Event logs of random liquidations, with shares and amounts that no split has to round."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from stresslab.contagion import Tables
from tests.unit.contagion.cases import USD, liquidation, tables

N, N_ASSETS = 40, 3


def random_log(seed: int) -> Tables:
    """Return an event log of liquidations with random causes among the earlier ones.

    Shares are sixty-fourths and amounts multiples of 64 micro-USD.
    """
    log = _random_log(seed)
    return {name: {c: v.copy() for c, v in columns.items()} for name, columns in log.items()}


@cache
def _random_log(seed: int) -> Tables:
    rng = random.Random(seed)
    moves, causes, amounts, orders, rows = [], [], [], [], []
    for number in range(N):
        lost = 0
        for asset in range(rng.randint(1, N_ASSETS)):
            stage = number
            moves.append({"stage": stage, "asset": asset})
            causes += random_causes(rng, stage, asset, number)
            amount = 64 * rng.randint(-20, 60)
            lost += amount
            amounts.append(
                {
                    "liquidation": number,
                    "stage": stage,
                    "asset": asset,
                    "cause": "price",
                    "amount_micro_usd": amount,
                }
            )
        for cause, source in (("fees", -1), *deleveragers(rng, number)):
            amount = 64 * rng.randint(1, 9)
            lost += amount
            row = {"liquidation": number, "asset": -1, "cause": cause}
            amounts.append({**row, "source_liquidation": source, "amount_micro_usd": amount})
        money = {"equity_micro_usd": 0, "maintenance_micro_usd": 1}
        before = {"excess_before_micro_usd": lost - 1}
        rows.append(liquidation(number, step=number, end_step=number, **money, **before))
        order = {"liquidation": number, "account": number, "mark_ticks": rng.randint(1, 9)}
        orders.append({**order, "filled_lots": -rng.randint(0, 9)})
    return tables(
        assets=[{"asset": asset, "unit_value_micro_usd": USD} for asset in range(N_ASSETS)],
        totals=[{"step": step, "seconds": step + 1.0} for step in range(N + 50)],
        price_moves=moves,
        price_causes=causes,
        liquidations=rows,
        breach_amounts=amounts,
        forced_orders=orders,
    )


def deleveragers(rng: random.Random, number: int) -> list[tuple[str, int]]:
    """Return up to two earlier liquidations that took lots or profits away."""
    return [("adl", source) for source in rng.sample(range(number), min(number, rng.randint(0, 2)))]


def random_causes(rng: random.Random, stage: int, asset: int, number: int) -> list[dict[str, Any]]:
    sources = rng.sample(range(number), min(number, rng.randint(0, 4)))
    parts = [rng.randint(-16, 48) for _ in sources]
    found = [
        {"cause": "liquidation", "liquidation": source, "share": part / 64}
        for source, part in zip(sources, parts, strict=True)
    ]
    found.append({"cause": "index", "share": (64 - sum(parts)) / 64})
    return [{"stage": stage, "asset": asset, **row} for row in found]
