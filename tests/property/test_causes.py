"""What must hold of causes in every kind of market: books, marks, laws and schemes of margin.

The recorder's amounts add up to the ledger's change of equity less maintenance, moves add up to the
path of the mark, without impact no price has a liquidation behind it, and neither the names of
accounts nor the size of orders decide who gets which share.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.attribution import LIQUIDATION
from stresslab.contagion.matrix import asset_matrix
from stresslab.contagion.next_generation import generations
from stresslab.contagion.outcomes import measure
from stresslab.core.events import CAUSES
from tests.markets import changed, fall, lively, market, people, run

GRID = {
    "classes": {"majors": ["BTC", "ETH"]},
    "scenarios": [{"spot_move": move} for move in (-0.08, -0.04, 0.0, 0.04, 0.08)],
    "hedge_credit": 0.9,
    "break_move": 0.05,
}
LEAST = {"kind": "least_common_share"}


def impact(law: str, **numbers: Any) -> dict[str, Any]:
    return {"kind": "impact", "law": {"kind": law, "depth_usd": 5000.0, **numbers}}


def average(rule: str = "blend") -> dict[str, Any]:
    return {"rule": rule, "half_life_seconds": 3.0}


#: Changes of a lively market, by the kind of book, and what is special about it.
MARKETS: dict[str, tuple[str, dict[str, Any]]] = {
    "order book": ("limit_order_book", {}),
    "order book, last trade": ("limit_order_book", {"market__mark": {"rule": "last"}}),
    "order book, average": ("limit_order_book", {"market__mark": average()}),
    "order book, median": ("limit_order_book", {"market__mark": average("median")}),
    "order book, scenario grid": (
        "limit_order_book",
        {"margin__portfolio": GRID, "margin__cross__closure": LEAST},
    ),
    "linear": ("impact", {"market__book": impact("linear")}),
    "linear, average": ("impact", {"market__book": impact("linear"), "market__mark": average()}),
    "exponential, fading": (
        "impact",
        {"market__book": impact("exponential", resilience_half_life_seconds=2.0)},
    ),
    "square root, fading, median": ("impact", {"market__mark": average("median")}),
    "square root, scenario grid": (
        "impact",
        {"margin__portfolio": GRID, "margin__cross__closure": LEAST},
    ),
    "square root, margin follows volatility": (
        "impact",
        {
            "margin__requirement": {
                "v": {"kind": "volatility", "horizon_seconds": 4.0, "half_life_seconds": 4.0,
                      "maintenance": {"multiple": 2.0, "cap": 0.05}}
            }
        },
    ),
}  # fmt: skip


@cache
def log_of(name: str, feedback: str = "market", observers: int = 0) -> Tables:
    """Return the log of one lively market with funding, thirty seconds of it.

    Observers are rich and hold nothing; where there are some, balances are recorded too.
    """
    book, special = MARKETS[name]
    scenario = changed(
        lively(book, 0.6),
        duration_seconds=30.0,
        market__funding={"interval_seconds": 6.0, "interest_rate": 0.002, "clamp": 0.01},
        market__shocks={"s": fall(0.2, at=8.0)},
        liquidation={"feedback": feedback, "insurance_fund_usd": 0.0},
        **special,
    )
    if observers:
        scenario["traders"]["observers"] = people(*[(1e6, {})] * observers)
        scenario["record_balances"] = True
    return run(scenario)


@pytest.mark.parametrize("name", MARKETS)
def test_amounts_are_the_ledgers_change_of_equity_less_maintenance(name: str) -> None:
    contagion = Contagion(log_of(name))
    rows, n = contagion.liquidations, len(contagion.ids)
    assert n > 10 and len(contagion.parents.child) > 5
    eaten = np.zeros(n, np.int64)
    place = np.searchsorted(contagion.ids, contagion.amounts.liquidation)
    np.add.at(eaten, place, contagion.amounts.micro_usd)
    after = rows["equity_micro_usd"] - rows["maintenance_micro_usd"]
    assert eaten.tolist() == (rows["excess_before_micro_usd"] - after).tolist()
    contagion.check()


@pytest.mark.parametrize("name", MARKETS)
def test_attributed_moves_are_the_price_path_tick_for_tick(name: str) -> None:
    tables = log_of(name)
    parts = parts_of_moves(tables)
    marks = dict(enumerate(tables["assets"]["initial_price_ticks"].tolist()))
    seen = dict(marks)
    moves = list(zip(*(column.tolist() for column in tables["price_moves"].values()), strict=True))
    assert len(moves) > 40
    at_end: dict[tuple[int, int], int] = {}
    for stage, step, _, asset, start, end in moves:
        assert start == marks[asset] != end
        assert math.fsum(parts[stage, asset].values()) * (end - start) == pytest.approx(
            end - start, abs=1e-9
        )
        marks[asset] = at_end[step, asset] = end
    path = tables["path"]
    for step, asset, mark in zip(
        *(path[c].tolist() for c in ("step", "asset", "mark_ticks")), strict=True
    ):
        seen[asset] = at_end.get((step, asset), seen[asset])
        assert mark == seen[asset], (step, asset)


def parts_of_moves(tables: Tables) -> dict[tuple[int, int], dict[tuple[str, int], float]]:
    """Return the shares of every move by cause and liquidation."""
    parts: dict[tuple[int, int], dict[tuple[str, int], float]] = defaultdict(dict)
    for stage, asset, cause, source, share in zip(
        *(column.tolist() for column in tables["price_causes"].values()), strict=True
    ):
        parts[stage, asset][cause, source] = share
    return parts


@pytest.mark.parametrize("name", MARKETS)
def test_rounding_is_the_only_cause_without_an_author_and_stays_small(name: str) -> None:
    """Resilience goes back to those whose flow it was; what is left over is below a tick in all."""
    tables, total = log_of(name), defaultdict(float)
    moves = tables["price_moves"]
    size = {
        key: to - start
        for key, start, to in zip(
            zip(moves["stage"].tolist(), moves["asset"].tolist(), strict=True),
            moves["from_ticks"].tolist(), moves["to_ticks"].tolist(), strict=True,
        )
    }  # fmt: skip
    for (stage, asset), shares in parts_of_moves(tables).items():
        for (cause, _), share in shares.items():
            total[asset, cause] += share * size[stage, asset]
    assert any(cause == "liquidation" for _, cause in total)
    for (asset, cause), ticks in total.items():
        if cause in ("rounding", "resilience"):
            assert abs(ticks) < 1, (asset, cause, ticks)


@pytest.mark.parametrize(
    ("name", "feedback"),
    [
        *((name, "no_feedback") for name in MARKETS),
        ("order book", "slipped"),
        ("linear", "slipped"),
    ],
)
def test_without_impact_no_liquidation_has_a_parent_by_prices(name: str, feedback: str) -> None:
    tables = log_of(name, feedback)
    contagion = Contagion(tables)
    assert len(contagion.ids) > 10
    assert "liquidation" not in set(tables["price_causes"]["cause"].tolist())
    assert not (contagion.amounts.cause == LIQUIDATION).any()
    edges = contagion.parents
    assert (edges.adl_share == edges.share).all()


# -- names and sizes do not matter -----------------------------------------------------------------

BOOKS = {
    "linear": impact("linear", depth_usd=1000.0),
    "square root": impact("square_root", depth_usd=1000.0, resilience_half_life_seconds=5.0),
}
WEALTH = (100.0, 109.0, 111.0, 114.0, 119.0)


def story(
    book: str, accounts: list[tuple[float, dict[str, int]]], mode: str, seconds: float = 6.0
) -> Contagion:
    """Return a fall by 6 % that fells the poorest long, and others after it."""
    assets = ("BTC", "ETH")
    held = {a: -sum(lots.get(a, 0) for _, lots in accounts) for a in assets}
    others = people((1e7, held))
    scenario = market(
        {"longs": people(*accounts, mode=mode), "others": others}, assets=assets,
        market__book=BOOKS[book], market__mark={"rule": "mid"}, market__shocks={"s": fall(0.06)},
        liquidation={"feedback": "market", "insurance_fund_usd": 1e6}, duration_seconds=seconds,
        margin__cross__closure={"kind": "whole"},
    )  # fmt: skip
    return Contagion(run(scenario))


def shares(run: Contagion, name_of: dict[int, Any]) -> dict[tuple[Any, Any], float]:
    """Return trigger shares by the names of child and parent; children and causes in one sum."""
    found: dict[tuple[Any, Any], float] = defaultdict(float)
    account = dict(zip(run.ids.tolist(), run.liquidations["account"].tolist(), strict=True))
    for child, cause, source, _, share in zip(*(c.tolist() for c in run.triggers), strict=True):
        parent = name_of[account[source]] if source >= 0 else CAUSES[cause]
        found[name_of[account[child]], parent] += share
    return found


@pytest.mark.parametrize("mode", ["isolated", "cross"])
@pytest.mark.parametrize("book", ["linear", "square root"])
def test_relabelling_accounts_permutes_the_shares_and_nothing_else(book: str, mode: str) -> None:
    more, lots = (10.0, {"BTC": 10, "ETH": 2}) if mode == "cross" else (0.0, {"BTC": 10})
    accounts = [(wealth + more, lots) for wealth in WEALTH]
    found = []
    for order in (range(5), (3, 0, 4, 2, 1), (4, 3, 2, 1, 0)):
        listed = [accounts[place] for place in order]
        found.append(shares(story(book, listed, mode), dict(enumerate(order))))
    assert sum(isinstance(parent, int) for _, parent in found[0]) >= 3
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-9)


@pytest.mark.parametrize("book", ["linear", "square root"])
def test_an_order_in_two_halves_has_the_share_of_the_whole(book: str) -> None:
    """The second to fall is one account of 10 lots, or two of 5 with half of the wealth each."""
    accounts = [(wealth, {"BTC": 10}) for wealth in WEALTH]
    half = (WEALTH[1] / 2, {"BTC": 5})
    whole = story(book, accounts, "isolated")
    halves = story(book, [accounts[0], half, *accounts[2:], half], "isolated")
    one = shares(whole, {n: n for n in range(5)})
    two = shares(halves, {**{n: n for n in range(5)}, 5: 1})
    assert sum(parent == 1 for _, parent in one) >= 1
    for pair in two:
        two[pair] /= 1 + (pair[0] == 1)  # there are two of the second
    assert two == pytest.approx(one, abs=1e-6)


@pytest.mark.parametrize("book", ["linear", "square root"])
def test_two_halves_merged_into_one_leave_all_that_is_by_notional(book: str) -> None:
    """The second to fall is two accounts of 5 lots, or one of 10 with the wealth of both."""
    accounts = [(wealth, {"BTC": 10}) for wealth in WEALTH]
    half = (WEALTH[1] / 2, {"BTC": 5})
    merged = story(book, accounts, "isolated", seconds=45.0)
    halves = story(book, [accounts[0], half, *accounts[2:], half], "isolated", seconds=45.0)
    one, two = measure(merged.tables), measure(halves.tables)
    assert two["n_liquidations"] == one["n_liquidations"] + 1 > 4
    assert 0 < one["branching_ratio"] < 1
    for name in (
        "forced_notional_usd", "forced_loss_usd", "branching_ratio", "branching_numerator_usd",
        "branching_ratio_first", "spectral_radius", "depth", "generations", "duration_seconds",
        "trader_loss_usd", "system_loss_usd", "price_fall", "open_interest_fall", "spill_share",
    ):  # fmt: skip
        assert two[name] == pytest.approx(one[name], rel=1e-6, nan_ok=True), name
    np.testing.assert_allclose(asset_matrix(halves), asset_matrix(merged), rtol=1e-6)
    np.testing.assert_allclose(generations(halves).caused, generations(merged).caused, rtol=1e-6)


@pytest.mark.parametrize("name", ["order book", "square root, fading, median"])
def test_whoever_only_watches_changes_nothing(name: str) -> None:
    """Rich accounts without a position, and balances that are written down, leave every event."""
    alone = log_of(name)
    with_observers = log_of(name, observers=3)
    assert len(Contagion(alone).ids) > 10
    assert with_observers["accounts"]["account"].size == alone["accounts"]["account"].size + 3
    assert with_observers["balances"]["step"].size > alone["balances"]["step"].size == 0
    for table in alone.keys() - {"accounts", "balances"}:
        for column, values in alone[table].items():
            assert np.array_equal(values, with_observers[table][column]), (table, column)
    one, other = (Contagion(log) for log in (alone, with_observers))
    for mine, theirs in zip(one.triggers, other.triggers, strict=True):
        assert np.array_equal(mine, theirs)
