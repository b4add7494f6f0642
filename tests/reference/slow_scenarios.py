"""Random small scenarios of passive traders, each a plain config of the package."""

from __future__ import annotations

from random import Random
from typing import Any

PRICES = (20.0, 50.0, 100.0, 200.0)
LEVERAGES = (10.0, 8.0, 5.0, 4.0, 2.0)


def scenario(seed: int) -> dict[str, Any]:
    """Return one scenario; everything in it follows from the seed."""
    draw = Random(seed)
    assets = {
        name: {
            "kind": "perpetual",
            "initial_price_usd": draw.choice(PRICES),
            "tick_size_usd": 0.01,
            "lot_size": draw.choice((0.1, 1.0)),
        }
        for name in ("AAA", "BBB", "CCC")[: draw.randint(1, 3)]
    }
    brackets = {name: _brackets(draw) for name in assets}
    groups = _groups(draw, assets, brackets)
    return {
        "step_seconds": 1.0,
        "duration_seconds": 8.0,
        "assets": assets,
        "market": _market(draw, assets, groups),
        "margin": {
            "brackets": brackets,
            "isolated": _mode(draw, 1.25),
            "cross": _mode(draw, 1.0),
            "allotment": draw.choice(("wealth", "wealth", "initial_margin")),
        },
        "liquidation": {
            "feedback": draw.choice(("market",) * 6 + ("slipped", "no_feedback")),
            "liquidation_target": draw.choice((0.5, 0.75, 0.9, 1.0)),
            "rounds_per_step": draw.choice((500, 500, 1)),
            "insurance_fund_usd": draw.choice((0.0, 0.0, 0.0, 500.0, 1e6)),
            "adl": draw.random() < 0.7,
        },
        "traders": groups,
    }


def _mode(draw: Random, factor: float) -> dict[str, Any]:
    return {
        "closure": {"kind": draw.choice(("whole", "least_to_restore", "least_to_restore"))},
        "penalty_rate": draw.choice((0.0, 0.005, 0.0125)),
        "initial_margin_factor": factor,
    }


def _brackets(draw: Random) -> list[dict[str, float]]:
    """Return one to three brackets whose margins are whole micro-USD."""
    rows, floor, rate, leverage = [], 0.0, draw.choice((40, 60, 80)), draw.randint(0, 1)
    for _ in range(draw.randint(1, 3)):
        rows.append(
            {
                "floor_usd": floor,
                "maintenance_rate": rate / 1000,
                "max_leverage": LEVERAGES[leverage],
            }
        )
        floor += draw.choice((2000.0, 5000.0, 20000.0))
        rate, leverage = rate + draw.choice((5, 10, 20)), leverage + 1
    return rows


def _groups(
    draw: Random, assets: dict[str, Any], brackets: dict[str, list[dict[str, float]]]
) -> dict[str, Any]:
    """Return isolated and cross accounts that hold equal longs and shorts."""
    n = draw.randint(5, 40)
    held: list[dict[str, int]] = [{} for _ in range(n)]
    crowd = draw.random()
    for name in assets:
        total = 0
        for lots in held[: n - 2]:
            if draw.random() < 0.8:
                side = 1 if draw.random() < 0.5 + 0.5 * crowd else -1
                lots[name] = side * draw.randint(5, 150)
                total += lots[name]
        first = draw.randint(0, abs(total)) * (1 if total > 0 else -1)
        held[n - 2][name], held[n - 1][name] = -first, first - total
    cross_share = draw.choice((0.0, 0.5, 1.0))
    groups: dict[str, Any] = {"siloed": [], "pooled": []}
    for place, lots in enumerate(held):
        lots = {name: q for name, q in lots.items() if q}
        if lots:
            row = {"wealth_usd": _wealth(draw, assets, brackets, lots, place >= n - 2)}
            groups["pooled" if draw.random() < cross_share else "siloed"].append(
                {**row, "positions": lots}
            )
    return {
        name: {
            "strategy": {"kind": "passive"},
            "margin_mode": {"kind": "fixed_share", "cross_share": float(name == "pooled")},
            "accounts": accounts,
        }
        for name, accounts in groups.items()
        if accounts
    }


def _wealth(
    draw: Random,
    assets: dict[str, Any],
    brackets: dict[str, list[dict[str, float]]],
    lots: dict[str, int],
    is_last: bool,
) -> float:
    """Return a wealth by leverage, enough to open; the last two accounts can pay for the rest."""
    total, need = 0.0, 0.0
    for name, q in lots.items():
        notional = abs(q) * assets[name]["initial_price_usd"] * assets[name]["lot_size"]
        total += notional
        reached = [row for row in brackets[name] if notional > row["floor_usd"]]
        need += notional / reached[-1]["max_leverage"] * 1.25
    leverage = draw.choice((1.0, 0.3, 0.1) if is_last else (3.0, 4.0, 6.0, 8.0, 8.0))
    return round(max(total / leverage, need) + 1.0, 2)


def _market(draw: Random, assets: dict[str, Any], groups: dict[str, Any]) -> dict[str, Any]:
    notional = sum(
        abs(q) * assets[name]["initial_price_usd"] * assets[name]["lot_size"]
        for group in groups.values()
        for row in group["accounts"]
        for name, q in row["positions"].items()
    )
    law = {
        "kind": draw.choice(("linear", "linear", "exponential")),
        "depth_usd": round(notional * draw.choice((0.02, 0.05, 0.1, 0.3)) + 7.31, 2),
    }
    if draw.random() < 0.4:
        law["resilience_half_life_seconds"] = draw.choice((1.0, 3.0))
    shocked = draw.sample(sorted(assets), draw.randint(1, len(assets)))
    shocks = {
        "first": {
            "assets": shocked,
            "fall": draw.choice((0.05, 0.08, 0.08, 0.1, 0.1, 0.12, 0.15, 0.2, 0.3, 0.6)),
            "at_seconds": 2.0,
        }
    }
    if draw.random() < 0.4:
        shocks["second"] = {
            "assets": [draw.choice(sorted(assets))],
            "fall": draw.choice((0.1, 0.2, 0.4)),
            "at_seconds": 5.0,
        }
    return {
        "book": {
            "kind": "impact",
            "law": law,
            "fill_price": draw.choice(("integral", "midpoint")),
        },
        "index": {"kind": "constant"},
        "shocks": shocks,
        "mark": {"rule": draw.choice(("mid", "mid", "mid", "mid", "index"))},
        "fees": {"maker_rate": 0.0, "taker_rate": draw.choice((0.0, 0.0005, 0.001))},
    }
