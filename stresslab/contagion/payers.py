"""Who paid for whose deficit: the waterfall account by account, exact to the micro-USD."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np

from stresslab.contagion.columns import as_int, sum_by, usd
from stresslab.contagion.projection import Contagion

NONE = -1
#: Ways in which a deficit is paid for, in the order of the waterfall.
ROADS = ("fund", "adl", "socialised")


def payments(run: Contagion) -> dict[str, np.ndarray]:
    """Return what each payer paid for each liquidation, one row per pair and road.

    ``liquidation`` (-1: kept back on withdrawal, for all), ``debtor`` (account, -1 for all),
    ``payer`` (account, -1 for the insurance fund), ``road`` and ``amount_micro_usd``; below 0 the
    payer was given something. By liquidation and road the amounts sum to the waterfall's.
    """
    fund, debtor = run.tables["waterfall"], _debtors(run)
    parts = [_part(0, fund["liquidation"], np.full(len(fund["step"]), NONE),
                   fund["fund_micro_usd"])]  # fmt: skip
    for road, name in enumerate(ROADS[1:], start=1):
        rows = run.tables[name]
        parts.append(_part(road, rows["liquidation"], rows["account"], rows["loss_micro_usd"]))
    keys = [np.concatenate(column) for column in zip(*(part[:3] for part in parts), strict=True)]
    (road_of, liquidation, payer), amount = sum_by(keys, np.concatenate([p[3] for p in parts]))
    is_some = amount != 0
    liquidation = liquidation[is_some]
    return {
        "liquidation": liquidation,
        "debtor": np.array([debtor.get(n, NONE) for n in liquidation.tolist()], np.int64),
        "payer": payer[is_some],
        "road": np.array([ROADS[k] for k in road_of[is_some].tolist()], dtype=object),
        "amount_micro_usd": amount[is_some],
    }


def payer_graph(run: Contagion) -> networkx.DiGraph:
    """Return who paid for whom; an edge a -> b says that a paid for deficits of b's pools.

    Nodes are ``account:ID``, ``insurance_fund``, and ``everybody`` for what is kept back on
    withdrawal; they carry ``kind``, ``paid_usd`` and ``received_usd``. Edges carry ``paid_usd`` and
    by road ``fund_usd``, ``adl_usd`` and ``socialised_usd``.
    """
    graph = networkx.DiGraph(projection="payers")
    columns = payments(run)
    rows = zip(*(columns[name].tolist() for name in ("payer", "debtor", "road")),
               columns["amount_micro_usd"].tolist(), strict=True)  # fmt: skip
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for payer, debtor, road, amount in rows:
        pair = _node(payer, "insurance_fund"), _node(debtor, "everybody")
        roads = sums.setdefault(pair, dict.fromkeys(ROADS, 0))
        roads[road] += amount
    for name in sorted({name for pair in sums for name in pair}):
        graph.add_node(name, **_sides(name, sums))
    for (payer_name, debtor_name), roads in sorted(sums.items()):
        money = {f"{road}_usd": usd(part) for road, part in roads.items()}
        graph.add_edge(payer_name, debtor_name, paid_usd=usd(sum(roads.values())), **money)
    return graph


def _part(
    road: int, liquidation: np.ndarray, payer: np.ndarray, amount: np.ndarray
) -> tuple[np.ndarray, ...]:
    return (np.full(len(amount), road), as_int(liquidation), as_int(payer), as_int(amount))


def _debtors(run: Contagion) -> dict[int, int]:
    rows = run.liquidations
    return dict(zip(run.ids.tolist(), as_int(rows["account"]).tolist(), strict=True))


def _node(account: int, otherwise: str) -> str:
    return otherwise if account == NONE else f"account:{account}"


def _sides(name: str, sums: dict[tuple[str, str], dict[str, int]]) -> dict[str, Any]:
    paid = sum(sum(roads.values()) for (payer, _), roads in sums.items() if payer == name)
    got = sum(sum(roads.values()) for (_, debtor), roads in sums.items() if debtor == name)
    kind = "account" if name.startswith("account:") else name
    return {"kind": kind, "paid_usd": usd(paid), "received_usd": usd(got)}
