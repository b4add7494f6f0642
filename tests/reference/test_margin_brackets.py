"""Tiered margin of the engine against real leverage tables and published liquidation prices.

Maintenance is ``n m_k - c_k`` for ``F_k < n <= F_(k+1)`` with the amounts c_k that the venue lists,
so the recursion for c_k is checked too; initial margin is the notional over the row's leverage.
Published examples whose venue freezes maintenance at entry or counts the closing fee in follow
other rules than the engine's and are left out.
"""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stresslab.core.declarations import build, faults
from stresslab.core.errors import ConfigError
from stresslab.core.events import EventLog
from stresslab.model import StressModel
from stresslab.scenario import Scenario

DATA = Path(__file__).parents[1] / "data"
TABLES = json.loads((DATA / "leverage_tables.json").read_text(encoding="utf-8"))
VECTORS = json.loads((DATA / "margin_vectors.json").read_text(encoding="utf-8"))
USD = 1_000_000

Row = tuple[Fraction, Fraction, Fraction, Fraction, Fraction]  # floor, cap, rate, leverage, amount


def exact(number: Any) -> Fraction:
    return Fraction(str(number))


def up(amount: Fraction) -> int:
    """Return whole micro-USD, rounded up."""
    return -(-amount.numerator // amount.denominator)


def run(
    assets: dict[str, Any],
    brackets: dict[str, list[dict[str, float]]],
    accounts: dict[str, list[dict[str, Any]]],
    fall: float = 0.0,
    **margin: Any,
) -> EventLog:
    """Run isolated and cross accounts through one fall of all indexes, without any feedback."""
    held: dict[str, int] = dict.fromkeys(assets, 0)
    for rows in accounts.values():
        for row in rows:
            for name, lots in row["positions"].items():
                held[name] += lots
    other_side = {name: -lots for name, lots in held.items()}
    accounts = {**accounts, "rich": [{"wealth_usd": 9e9, "positions": other_side}]}
    scenario = build(
        Scenario,
        {
            "step_seconds": 1.0,
            "duration_seconds": 2.0,
            "assets": assets,
            "market": {
                "book": {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e12}},
                "shocks": {"fall": {"assets": list(assets), "fall": fall, "at_seconds": 1.0}},
                "mark": {"rule": "index"},
            },
            "margin": {"brackets": brackets, **margin},
            "liquidation": {"feedback": "no_feedback", "insurance_fund_usd": 1e10},
            "traders": {
                name: {
                    "strategy": {"kind": "passive"},
                    "margin_mode": {
                        "kind": "fixed_share",
                        "cross_share": 0.0 if name == "isolated" else 1.0,
                    },
                    "accounts": rows,
                }
                for name, rows in accounts.items()
            },
        },
    )
    assert not list(faults(scenario))
    return StressModel(scenario, seed=1, replicate=0).run()


# -- real tables --------------------------------------------------------------------------------

# One lot is worth 10 USD before the fall and 8 after it: every floor is a whole number of lots.
ASSET = {"initial_price_usd": 1.0, "tick_size_usd": 0.001, "lot_size": 10.0}
LOT = 8 * USD


def rows_of(table: dict[str, Any]) -> list[Row]:
    return [
        tuple(exact(table_row[table["columns"].index(name)]) for name in table["columns"])
        for table_row in table["rows"]
    ]  # type: ignore[misc]


def brackets_of(rows: list[Row]) -> list[dict[str, float]]:
    return [
        {
            "floor_usd": float(floor),
            "maintenance_rate": float(rate),
            "max_leverage": float(leverage),
        }
        for floor, _, rate, leverage, _ in rows
    ]


def row_of(rows: list[Row], notional: int) -> Row:
    """Return the row with ``floor < notional <= cap``."""
    return next(row for row in rows if row[0] * USD < notional <= row[1] * USD)


def maintenance(rows: list[Row], notional: int) -> int:
    """Return maintenance margin with the amount that the venue lists, micro-USD."""
    _, _, rate, _, amount = row_of(rows, notional)
    return up(notional * rate - amount * USD)


def lots_to_try(rows: list[Row]) -> list[int]:
    """Return positions that after the fall lie at a cap, a lot beside it, and inside each row."""
    lots = set()
    for floor, cap, *_ in rows:
        edge = int(cap * USD // LOT)
        lots |= {edge - 1, edge, edge + 1, int((floor + cap) / 2 * USD // LOT)}
    largest = int(rows[-1][1] * USD // LOT * 4 // 5)  # in the table before the fall as well
    return sorted(number for number in lots if 0 < number <= largest)


@pytest.fixture(params=TABLES, ids=lambda table: f"{table['symbol']}-{table['as_of']}")
def rows(request: pytest.FixtureRequest) -> list[Row]:
    return rows_of(request.param)


def test_maintenance_of_real_tables(rows: list[Row]) -> None:
    """Given a pool in each part of a table, when it breaches, then the log says its margin."""
    positions = lots_to_try(rows)
    accounts = [
        {
            "wealth_usd": (maintenance(rows, lots * 10 * USD) + lots * USD // 10) / USD,
            "positions": {"X": lots},
        }
        for lots in positions
    ]
    log = run({"X": ASSET}, {"X": brackets_of(rows)}, {"cross": accounts}, fall=0.2)
    found = log.columns("liquidations")
    assert len(found["account"]) == len(positions) > 2 * len(rows)
    expected = [maintenance(rows, lots * LOT) for lots in positions]
    assert found["notional_micro_usd"].tolist() == [lots * LOT for lots in positions]
    assert found["maintenance_micro_usd"].tolist() == expected


def test_listed_amounts_follow_the_recursion(rows: list[Row]) -> None:
    amount = Fraction(0)
    for before, row in pairwise(rows):
        amount += row[0] * (row[2] - before[2])
        assert amount == row[4]


def test_published_step_of_the_recursion() -> None:
    (vector,) = [v for v in VECTORS if v["kind"] == "maint_amount.recursion"]
    given = {name: exact(value) for name, value in vector["inputs"].items()}
    rise = given["mmr"] - given["mmr_prev"]
    assert given["cum_prev"] + given["floor"] * rise == vector["expected"]["cum"]


def test_initial_margin_of_real_tables(rows: list[Row]) -> None:
    """Given silos of initial margin only, when prices halve, then equity shows what they got.

    Initial rates are kept in whole 1e-9, rounded up: never less than asked for.
    """
    factor = Fraction(5, 4)
    positions = [lots for lots in lots_to_try(rows) if row_of(rows, lots * 10 * USD)[3] >= 5]
    accounts = [{"wealth_usd": lots * 10.0, "positions": {"X": lots}} for lots in positions]
    isolated = {
        "closure": {"kind": "whole"},
        "penalty_rate": 0.0,
        "initial_margin_factor": float(factor),
    }
    log = run(
        {"X": ASSET},
        {"X": brackets_of(rows)},
        {"isolated": accounts},
        fall=0.5,
        isolated=isolated,
        allotment="initial_margin",
    )
    found = log.columns("liquidations")
    assert len(found["account"]) == len(positions) >= len(rows)
    for lots, equity, required in zip(
        positions, found["equity_micro_usd"], found["maintenance_micro_usd"], strict=True
    ):
        notional = lots * 10 * USD
        asked = notional * factor / row_of(rows, notional)[3]
        allotted = int(equity) + lots * 5 * USD
        assert asked <= allotted <= asked + notional * factor / 10**9 + 2
        assert required == maintenance(rows, lots * 5 * USD)


def test_a_broken_micro_usd_rounds_up() -> None:
    """One lot moves by whole micro-USD; the rate makes parts of one."""
    asset = {"initial_price_usd": 1.0, "tick_size_usd": 0.001, "lot_size": 0.001}
    brackets = [{"floor_usd": 0.0, "maintenance_rate": 0.012347, "max_leverage": 50.0}]
    lots = [1_000, 1_001, 1_003, 7_919]
    accounts = [{"wealth_usd": n * 0.0001, "positions": {"X": n}} for n in lots]
    log = run({"X": asset}, {"X": brackets}, {"cross": accounts}, fall=0.2)
    found = log.columns("liquidations")["maintenance_micro_usd"].tolist()
    exactly = [n * 800 * Fraction(12_347, 1_000_000) for n in lots]
    assert all(amount.denominator > 1 for amount in exactly)
    assert found == [up(amount) for amount in exactly]


# -- published liquidation prices ---------------------------------------------------------------


def stands(assets: dict[str, Any], brackets: dict[str, Any], account: Any) -> bool:
    """Tell whether an account may hold its positions at these prices: it is not in breach."""
    try:
        run(assets, brackets, {"cross": [account]})
    except ConfigError as refusal:
        if "in breach before the first step" not in str(refusal):
            raise
        return False
    return True


def single(vector: dict[str, Any], price: float, tick: float, lot: float) -> tuple[Any, ...]:
    """Return the arguments of ``stands`` for a pool of one position marked at a price."""
    given = vector["inputs"]
    side = 1 if given["side"] == "long" else -1
    size, entry = exact(given.get("qty", given.get("size"))), given.get("entry", given.get("price"))
    margin = exact(given.get("wallet", given.get("margin")))
    ticks = round(exact(price) / exact(tick))
    equity = margin + side * size * (ticks * exact(tick) - exact(entry))
    asset = {
        "initial_price_usd": float(ticks * exact(tick)),
        "tick_size_usd": tick,
        "lot_size": lot,
    }
    lots = side * SCALE * int(size / exact(lot))
    account = {"wealth_usd": float(round(SCALE * equity, 2)), "positions": {"X": lots}}
    return {"X": asset}, {"X": _brackets(given)}, account


def _brackets(given: dict[str, Any]) -> list[dict[str, float]]:
    if "max_leverage" in given:
        rate, leverage = 0.5 / given["max_leverage"], float(given["max_leverage"])
        return [{"floor_usd": 0.0, "maintenance_rate": rate, "max_leverage": leverage}]
    low = given["mmr"] / 2  # the amount of the second row is floor x (rate - low)
    floor = given["cum"] / (given["mmr"] - low)
    return [
        {"floor_usd": 0.0, "maintenance_rate": low, "max_leverage": 50.0},
        {"floor_usd": SCALE * floor, "maintenance_rate": given["mmr"], "max_leverage": 50.0},
    ]


SCALE = 10_000  # of examples of one coin: wealth is kept in whole cents

GRIDS = {  # tick and lot that hold each example's price and size
    "binance-iso-1": (0.00001, 1.0),
    "binance-iso-5": (0.00001, 1.0),
    "hl-eth-5": (0.01, 0.0001),
    "hl-sol-9": (0.01, 0.01),
    "hl-btc-12": (0.1, 0.00001),
    "hl-sol-22": (0.01, 0.01),
    "hl-doge-27": (0.00001, 1.0),
}


@pytest.mark.parametrize("name", GRIDS)
def test_published_liquidation_prices(name: str) -> None:
    """An account stands on the near side of its liquidation price and not on the far side."""
    (vector,) = [v for v in VECTORS if v["id"] == name]
    tick, lot = GRIDS[name]
    price, side = vector["expected"]["liq_price"], 1 if vector["inputs"]["side"] == "long" else -1
    margin = max(vector["tol"]["rel"] * price, tick) * side
    assert stands(*single(vector, price + margin, tick, lot))
    assert not stands(*single(vector, price - margin, tick, lot))


def test_dydx_short_example() -> None:
    """A signed size with one rate: stands at 3,174.6, in breach a tick above."""
    (vector,) = [v for v in VECTORS if v["kind"] == "liq_price.dydx"]
    given = vector["inputs"]
    highest = 0.5 / given["mmf"]
    short = {
        "side": "short",
        "size": -given["size"],
        "price": given["price"],
        "margin": given["equity"],
        "max_leverage": highest,
    }
    price = vector["expected"]["liq_price"]

    assert stands(*single({"inputs": short}, price, 0.1, 1.0))
    assert not stands(*single({"inputs": short}, price + 0.1, 0.1, 1.0))


def test_binance_cross_example() -> None:
    """Two long positions in real tables: BTC is liquidated at 26,316.89, ETH at its mark."""
    (vector,) = [v for v in VECTORS if v["kind"] == "liq_price.linear_cross_tables"]
    given, ticks = vector["inputs"], round(vector["expected"]["liq_price"] * 100)
    held = given["positions"]
    marks = {"BTC": Fraction(ticks, 100), "ETH": exact(held["ETH"]["mark"])}
    leverages = (125, 100, 50, 20, 10, 5, 4, 3, 2, 1)
    brackets = {
        name: [
            {"floor_usd": float(row[0]), "maintenance_rate": row[2], "max_leverage": float(most)}
            for row, most in zip(rows, leverages, strict=False)
        ]
        for name, rows in given["tiers"].items()
    }
    outcomes = []
    for cents in (1, -1):
        marks["BTC"] = Fraction(ticks + cents, 100)
        equity = exact(given["wallet"]) + sum(
            exact(held[name]["qty"]) * (mark - exact(held[name]["entry"]))
            for name, mark in marks.items()
        )
        assets = {
            name: {"initial_price_usd": float(mark), "tick_size_usd": 0.01, "lot_size": 0.001}
            for name, mark in marks.items()
        }
        lots = {name: int(exact(row["qty"]) * 1000) for name, row in held.items()}
        account = {"wealth_usd": float(round(equity, 2)), "positions": lots}
        outcomes.append(stands(assets, brackets, account))
    assert outcomes == [True, False]
