"""Who paid for whose deficit balances to the unit, road by road."""

from __future__ import annotations

import random
from typing import Any

import networkx
from hypothesis import given
from hypothesis import strategies as st

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.graph import GRAPHS
from stresslab.contagion.payers import ROADS, payments
from tests.unit.contagion.cases import USD, hand_cascade, liquidation, one_liquidation, tables


def deficits(seed: int, n: int = 12) -> Tables:
    """Return liquidations whose deficits fund, winners and everybody pay in random parts."""
    rng = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {"waterfall": [], "adl": [], "socialised": []}
    for number in range(n):
        parts = {"fund_micro_usd": rng.randint(0, 99)}
        for road in ("adl", "socialised"):
            paid = [rng.randint(-5, 50) for _ in range(rng.randint(0, 4))]
            rows[road] += [{"liquidation": number, "account": 100 + rng.randint(0, 5),
                            "loss_micro_usd": part} for part in paid]  # fmt: skip
            parts[f"{road}_micro_usd"] = sum(paid)
        row = {"liquidation": number, "account": number // 2, **parts}
        rows["waterfall"].append({**row, "deficit_micro_usd": sum(parts.values())})
    spells = [liquidation(number, account=number // 2) for number in range(n)]
    return tables(assets=[{"asset": 0}], liquidations=spells, **rows)


@given(st.integers(0, 500))
def test_payments_balance_with_the_waterfall(seed: int) -> None:
    log = deficits(seed)
    found = payments(Contagion(log))
    for number in range(12):
        for road in ROADS:
            is_mine = (found["liquidation"] == number) & (found["road"] == road)
            told = log["waterfall"][f"{road}_micro_usd"][log["waterfall"]["liquidation"] == number]
            assert int(found["amount_micro_usd"][is_mine].sum()) == int(told.sum())
    assert int(found["amount_micro_usd"].sum()) == int(log["waterfall"]["deficit_micro_usd"].sum())
    assert (found["debtor"] == found["liquidation"] // 2).all()


@given(st.integers(0, 50))
def test_what_is_paid_is_received(seed: int) -> None:
    graph = GRAPHS["payers"](Contagion(deficits(seed)))
    nodes = [data for _, data in graph.nodes(data=True)]
    paid = round(sum(node["paid_usd"] for node in nodes) * USD)
    received = round(sum(node["received_usd"] for node in nodes) * USD)
    assert paid == received
    assert "everybody" not in graph
    by_road = {
        r: round(sum(e[f"{r}_usd"] for *_, e in graph.edges(data=True)) * USD) for r in ROADS
    }
    waterfall = deficits(seed)["waterfall"]
    assert by_road == {r: int(waterfall[f"{r}_micro_usd"].sum()) for r in ROADS}
    assert sum(by_road.values()) == paid > 0


def test_the_fund_pays_for_the_hand_cascade() -> None:
    graph = GRAPHS["payers"](Contagion(hand_cascade()))
    assert list(graph.edges(data="paid_usd")) == [("insurance_fund", "account:1", 20.0)]


def test_what_is_kept_back_is_paid_for_everybody() -> None:
    log = tables(
        assets=[{"asset": 0}],
        socialised=[{"liquidation": -1, "account": 7, "asset": -1, "loss_micro_usd": 3 * USD}],
    )
    graph = GRAPHS["payers"](Contagion(log))
    assert list(graph.edges(data="socialised_usd")) == [("account:7", "everybody", 3.0)]


def test_nobody_pays_where_nothing_is_owed() -> None:
    for log in (tables(), one_liquidation()):
        run = Contagion(log)
        assert len(payments(run)["payer"]) == 0
        assert networkx.is_empty(GRAPHS["payers"](run))
