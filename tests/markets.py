"""Tiny markets for stories about the engine: plain configs, scripted traders, single fills.

One lot of every asset is worth 100 USD at the start, in ticks of 1 cent; one tick times one lot is
10,000 micro-USD. Perpetuals open at 10x and close at 5 % of their notional unless a test says
otherwise.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from stresslab.core.columns import LIMIT, MARKET, VOLUNTARY, Orders, make_fills, make_orders
from stresslab.core.declarations import build, faults
from stresslab.core.events import TABLES
from stresslab.core.ledger import conserved_sums
from stresslab.margin.acceptance import UNKNOWN, accepted_lots
from stresslab.margin.pools import pool_state
from stresslab.margin.posting import settle_fills
from stresslab.model import StressModel
from stresslab.scenario import Scenario

USD = 1_000_000  # micro-USD
TICKS = 10_000  # price of every asset before the first step
UNIT = 10_000  # micro-USD of a tick times a lot
LOT = 100 * USD  # what one lot is worth then

Tables = dict[str, dict[str, np.ndarray]]
BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 10.0}]
TIERS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.04, "max_leverage": 12.0},
    {"floor_usd": 2000.0, "maintenance_rate": 0.06, "max_leverage": 10.0},
    {"floor_usd": 50_000.0, "maintenance_rate": 0.08, "max_leverage": 5.0},
]
DEEP = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e10}}  # a lot moves no tick
ORDER_BOOK = {"kind": "limit_order_book"}


def asset(kind: str = "perpetual") -> dict[str, Any]:
    """Return an asset at 100 USD."""
    return {"kind": kind, "initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}


def people(*accounts: tuple[float, dict[str, int]], mode: str = "cross") -> dict[str, Any]:
    """Return a group of passive traders: (wealth in USD, lots by asset) each.

    They would use any leverage, so an isolated position is allotted what the venue asks.
    """
    return {
        "strategy": {"kind": "passive"},
        "leverage": {"median": 200.0, "cap": 200.0},
        "margin_mode": {"kind": "fixed_share", "cross_share": float(mode == "cross")},
        "accounts": [{"wealth_usd": w, "positions": lots} for w, lots in accounts],
    }


def drawn(kind: str, count: int, wealth_usd: float = 1000.0, **group: Any) -> dict[str, Any]:
    """Return a group of traders drawn for a strategy, all of the same wealth."""
    strategy = {"kind": kind, **group.pop("parameters", {})}
    wealth = {"kind": "equal", "amount_usd": wealth_usd}
    return {"strategy": strategy, "count": count, "wealth": wealth, **group}


def fall(size: float, *names: str, at: float = 2.0) -> dict[str, Any]:
    """Return a shock in one step; BTC unless other assets are named."""
    return {"assets": list(names or ("BTC",)), "fall": size, "at_seconds": at}


def market(
    traders: Mapping[str, Any], *, assets: tuple[str, ...] = ("BTC",), **changes: Any
) -> dict[str, Any]:
    """Return a whole scenario; ``changes`` replace values by path, ``__`` between the steps."""
    scenario: dict[str, Any] = {
        "step_seconds": 1.0,
        "duration_seconds": 4.0,
        "assets": {name: asset() for name in assets},
        "market": {
            "book": DEEP,
            "index": {"kind": "constant"},
            "shocks": {},
            "mark": {"rule": "index"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {
            "brackets": dict.fromkeys(assets, BRACKETS),
            "isolated": {
                "closure": {"kind": "whole"}, "penalty_rate": 0.0, "initial_margin_factor": 1.0,
            },
            "cross": {
                "closure": {"kind": "least_to_restore"}, "penalty_rate": 0.0,
                "initial_margin_factor": 1.0,
            },
        },
        "liquidation": {"feedback": "no_feedback"},
        "traders": dict(traders),
    }  # fmt: skip
    return changed(scenario, **changes)


def one_leg(
    lots: int, wealth: float, size: float, closure: dict[str, Any] | None = None, *,
    tiers: Any = BRACKETS, **changes: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return a market of one cross account, long or short BTC, whose price falls in step 2."""
    return market(
        {"one": people((wealth, {"BTC": lots})), "rich": people((1e9, {"BTC": -lots}))},
        market__shocks={"s": fall(size)},
        margin__brackets={"BTC": tiers},
        margin__cross__closure=closure or {"kind": "least_to_restore"},
        **changes,
    )


def bracket_margin(notional: int, tiers: Any = TIERS) -> int:
    """Return the margin of a notional in micro-USD, bracket by bracket, rounded up."""
    exact, ends = Fraction(0), [row["floor_usd"] for row in tiers[1:]] + [math.inf]
    for row, end in zip(tiers, ends, strict=True):
        inside = max(0, min(notional, end * USD) - int(row["floor_usd"]) * USD)
        exact += int(inside) * Fraction(str(row["maintenance_rate"]))
    return math.ceil(exact)


def changed(scenario: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy with values replaced by path."""
    scenario = copy.deepcopy(scenario)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = scenario
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return scenario


def model_of(scenario: dict[str, Any], *, seed: int = 1, replicate: int = 0) -> StressModel:
    """Return the model of a scenario that a config could hold."""
    declared = build(Scenario, scenario)
    assert not list(faults(declared))
    return StressModel(declared, seed=seed, replicate=replicate)


def tables_of(model: StressModel) -> Tables:
    """Run a model to its end and return its event log."""
    log = model.run()
    return {name: log.columns(name) for name in TABLES}


def run(scenario: dict[str, Any], *, seed: int = 1, replicate: int = 0) -> Tables:
    """Run a scenario and return its event log."""
    return tables_of(model_of(scenario, seed=seed, replicate=replicate))


def rows(tables: Tables, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of an event table as tuples, in order."""
    return list(zip(*(tables[table][name].tolist() for name in columns), strict=True))


class Ask(NamedTuple):
    """An order that a script sends."""

    row: int
    lots: int
    price: int = 0
    kind: int = LIMIT
    asset: int = 0
    reduce_only: int = 0
    tag: int = VOLUNTARY


def buy_at_market(row: int, lots: int, asset: int = 0) -> Ask:
    """Return a market order; negative lots sell."""
    return Ask(row, lots, kind=MARKET, asset=asset)


def orders_of(asks: list[Ask]) -> Orders:
    """Return a batch of orders, one trader's next to each other."""
    batch = make_orders(max(1, len(asks)))
    for place, ask in enumerate(sorted(asks, key=lambda a: a.row)):
        batch.trader[place], batch.asset[place] = ask.row, ask.asset
        batch.kind[place], batch.lots[place] = ask.kind, ask.lots
        batch.price[place], batch.reduce_only[place] = ask.price, ask.reduce_only
        batch.tag[place] = ask.tag
    batch.n[0] = len(asks)
    return batch


def scripted(scenario: dict[str, Any], script: dict[int, list[Ask]]) -> StressModel:
    """Return a model in which exactly the orders of the script are sent, by step."""
    model = model_of(scenario)
    model.world.crowd.decide = lambda step: orders_of(script.get(step, []))  # type: ignore[method-assign]
    return model


# -- single acts, on the columns of a model that has not been stepped ---------------------------


def trade(
    model: StressModel, buyer: int, seller: int, lots: int, *, price: int = TICKS, asset: int = 0
) -> None:
    """Post one fill between two accounts; the buyer takes. A seller of -1 is `external`."""
    c = model.world.clearing
    fills = make_fills(1)
    fills.n[0] = 1
    fills.asset[0], fills.taker[0], fills.maker[0] = asset, buyer, seller
    fills.lots[0], fills.cash[0] = lots, lots * price * int(c.tables.unit_value[asset])
    marks = model.world.board.ticks
    settle_fills(c.accounts, c.house, c.journal, c.tables, c.costs, marks, fills, 0)


def accepted(
    model: StressModel, row: int, lots: int, *, asset: int = 0, reduce_only: int = 0,
    resting: dict[int, int] | None = None,
) -> int:  # fmt: skip
    """Return the lots that the venue takes of an order, with signed lots resting by asset."""
    c = model.world.clearing
    buys, sells = np.zeros_like(c.accounts.position), np.zeros_like(c.accounts.position)
    for place, open_lots in (resting or {}).items():
        (buys if open_lots > 0 else sells)[place, row] = abs(open_lots)
    taken, _ = accepted_lots(
        c.accounts, c.tables, model.world.board.ticks, buys, sells, row, asset, lots,
        reduce_only, UNKNOWN,
    )  # fmt: skip
    return int(taken)


def state(model: StressModel, row: int, pool: int = 0, marks: Any = None) -> tuple[int, int, int]:
    """Return (equity, maintenance margin, notional) of a pool: 0 the wallet, 1 + a silo a."""
    c = model.world.clearing
    at = model.world.board.ticks if marks is None else np.asarray(marks, np.int64)
    equity, maintenance, notional = pool_state(c.accounts, c.tables, at, pool, row)
    return int(equity), int(maintenance), int(notional)


def sums(model: StressModel) -> tuple[int, list[int]]:
    """Return the total money and the total lots by asset."""
    money, lots = conserved_sums(model.world.clearing.accounts, model.world.clearing.house)
    return int(money), lots.tolist()


def lively(
    book: str = "limit_order_book", cross_share: float = 0.5, **changes: Any
) -> dict[str, Any]:
    """Return a market of two perpetuals in which everybody trades and a third is liquidated.

    An impact book takes no post-only quotes, so the makers leave it.
    """
    turns = {"seconds_between_turns": 2.0}
    traders = {
        "makers": drawn("market_maker", 8, 30_000.0, leverage={"median": 5.0}, **turns),
        "dip_buyers": drawn("fundamental", 8, 10_000.0, leverage={"median": 2.0}, **turns),
        "arbitrageurs": drawn("arbitrageur", 4, 10_000.0, leverage={"median": 3.0}, **turns),
        "noise": drawn("noise", 20, 3000.0, **turns),
        "momentum": drawn("momentum", 10, 3000.0, leverage={"median": 3.0}, **turns),
        "speculators": drawn(
            "leveraged_speculator", 60, 1000.0, leverage={"median": 6.0, "sigma": 0.5},
            holdings={"kind": "directional", "number_weights": [1.0, 1.0], "share_long": 0.7},
            parameters={"reentry_seconds": 5.0}, **turns,
        ),
        "hedgers": drawn(
            "hedger", 10, 3000.0, leverage={"median": 7.0}, holdings={"kind": "pair"}, **turns
        ),
        "house": drawn("passive", 2, 100_000.0, leverage={"median": 5.0}, is_counterparty=True),
    }  # fmt: skip
    law = {"kind": "square_root", "depth_usd": 5000.0, "resilience_half_life_seconds": 10.0}
    if book == "impact":
        del traders["makers"]
    scenario = market(
        traders,
        assets=("BTC", "ETH"),
        duration_seconds=40.0,
        market__book={"kind": "impact", "law": law} if book == "impact" else ORDER_BOOK,
        market__index={"kind": "brownian", "daily_volatility": 0.3, "correlation": 0.5},
        market__mark={"rule": "mid"},
        market__fees={"maker_rate": 0.0002, "taker_rate": 0.0005},
        market__shocks={"s": fall(0.15, at=10.0)},
        margin__isolated__penalty_rate=0.0125,
        margin__cross__penalty_rate=0.005,
        margin_mode={"kind": "fixed_share", "cross_share": cross_share},
        liquidation={"feedback": "market", "insurance_fund_usd": 1000.0},
    )
    return changed(scenario, **changes)
