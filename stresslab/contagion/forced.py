"""Forced orders as columns: notional at the mark they were judged on, and what they cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, as_int, rows_of


class Forced(NamedTuple):
    """One row per forced order, (n_orders,) each; money in exact micro-USD."""

    liquidation: np.ndarray  # row of the liquidation, in order of id
    account: np.ndarray
    asset: np.ndarray
    is_cross: np.ndarray
    step: np.ndarray
    notional: np.ndarray  # |filled lots| at the mark of the round's judgement
    loss: np.ndarray  # mark value given up less cash received, plus fee and penalty


def unit_values(tables: Tables) -> np.ndarray:
    """Return micro-USD of one tick times one lot by asset id."""
    return as_int(tables["assets"]["unit_value_micro_usd"])[
        np.argsort(as_int(tables["assets"]["asset"]))
    ]


def forced(tables: Tables, ids: np.ndarray) -> Forced:
    """Return the forced orders; ``ids`` are the ids of all liquidations, sorted."""
    rows = tables["forced_orders"]
    asset, filled = as_int(rows["asset"]), as_int(rows["filled_lots"])
    mark_value = filled * as_int(rows["mark_ticks"]) * unit_values(tables)[asset]
    costs = as_int(rows["fee_micro_usd"]) + as_int(rows["penalty_micro_usd"])
    return Forced(
        liquidation=rows_of(as_int(rows["liquidation"]), ids),
        account=as_int(rows["account"]),
        asset=asset,
        is_cross=np.asarray(rows["mode"] == "cross", dtype=bool),
        step=as_int(rows["step"]),
        notional=np.abs(mark_value),
        loss=-mark_value - as_int(rows["cash_micro_usd"]) + costs,
    )


def by_liquidation(orders: Forced, values: np.ndarray, n: int) -> np.ndarray:
    """Sum a column of forced orders by liquidation; (n,) exact micro-USD."""
    sums = np.zeros(n, np.int64)
    np.add.at(sums, orders.liquidation, values)
    return sums


def by_asset(orders: Forced, n: int, n_assets: int) -> np.ndarray:
    """Return forced notional by liquidation and asset; (n, n_assets) exact micro-USD."""
    sums = np.zeros((n, n_assets), np.int64)
    np.add.at(sums, (orders.liquidation, orders.asset), orders.notional)
    return sums
