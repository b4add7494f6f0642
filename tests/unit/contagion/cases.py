"""Event logs written by hand: the empty one, the smallest, and a four-account two-asset cascade."""

from __future__ import annotations

from typing import Any

from stresslab.contagion import Tables
from stresslab.core.events import INT, SMALL, TABLES, EventLog

USD = 1_000_000
STEPS = 100


def tables(**rows: list[dict[str, Any]]) -> Tables:
    """Return an event log of the given rows; columns left out are 0, "" or -1 for ids."""
    log = EventLog()
    for table, lines in rows.items():
        blank = {column.name: _blank(column.name, column.type) for column in TABLES[table]}
        for line in lines:
            assert line.keys() <= blank.keys(), (table, line.keys() - blank.keys())
            log.append(table, **(blank | line))
    return {name: log.columns(name) for name in TABLES}


def _blank(name: str, kind: str) -> Any:
    if kind in (INT, SMALL):
        return -1 if name in ("liquidation", "source_liquidation", "stage") else 0
    return "" if kind == "str" else 0.0


def liquidation(number: int, **values: Any) -> dict[str, Any]:
    """Return a row of an isolated liquidation: 10 USD of excess lost down to -1 USD."""
    plain = {
        "liquidation": number,
        "account": number,
        "mode": "isolated",
        "equity_micro_usd": 9 * USD,
        "maintenance_micro_usd": 10 * USD,
        "excess_before_micro_usd": 9 * USD,
        "outcome": "closed",
    }
    return plain | values


def one_liquidation() -> Tables:
    """Return a run in which the index fells one isolated account and nothing else happens."""
    return tables(
        assets=[_asset(0, "A")],
        accounts=[{"account": 0, "strategy": "speculator"}, {"account": 1, "strategy": "hedger"}],
        positions=[{"account": 0, "asset": 0, "mode": "isolated", "initial_lots": 5}],
        totals=[{"step": step, "seconds": step + 1.0} for step in range(STEPS)],
        liquidations=[liquidation(0, step=3, end_step=4)],
        breach_amounts=[_amount(0, 0, 0, 10)],
        price_moves=[_move(0, 3, 0, 0, 100, 98)],
        price_causes=[_cause(0, 0, "index", 1.0)],
    )


def hand_cascade() -> Tables:
    """Return the cascade that ``test_hand_cascade.py`` computes on paper."""
    return tables(
        assets=[_asset(0, "A"), _asset(1, "B")],
        accounts=[
            _account(1, 1_500, 0, 0),
            _account(2, 1_600, 570, 570),
            _account(3, 500, 195, 195),
            _account(4, 660, 55, 55),
        ],
        positions=[
            _position(1, 0, "isolated", 100),
            _position(2, 0, "cross", 50),
            _position(2, 1, "cross", 40),
            _position(3, 1, "isolated", 30),
            _position(4, 0, "isolated", 20),
        ],
        shocks=[{"asset": 0, "fall": 0.15, "first_step": 1, "last_step": 2}],
        path=[row for step in range(STEPS) for row in _path(step)],
        totals=[
            {"step": step, "seconds": step + 1.0, "external_micro_usd": 3_440 * USD * (step >= 10)}
            for step in range(STEPS)
        ],
        price_moves=[
            _move(0, 1, 0, 0, 100, 90),
            _move(1, 1, 1, 0, 90, 80),
            _move(2, 1, 2, 1, 100, 92),
            _move(3, 2, 0, 0, 80, 70),
        ],
        price_causes=[
            _cause(0, 0, "index", 1.0),
            _cause(1, 0, "liquidation", 1.0, 0),
            _cause(2, 1, "liquidation", 1.0, 1),
            _cause(3, 0, "index", 0.5),
            _cause(3, 0, "liquidation", 0.5, 1),
        ],
        liquidations=[
            _spell(0, 1, "isolated", 0, (0, 1, 0), (500, 900, 500), "bankrupt"),
            _spell(1, 2, "cross", -1, (1, 1, 1), (600, 800, 250), "restored"),
            _spell(2, 3, "isolated", 1, (2, 1, 2), (260, 276, 200), "closed"),
            _spell(3, 4, "isolated", 0, (3, 2, 0), (60, 140, 100), "closed"),
        ],
        breach_amounts=[
            _amount(0, 0, 0, 900),
            _amount(1, 1, 0, 450),
            _amount(2, 2, 1, 216),
            _amount(3, 3, 0, 180),
        ],
        forced_orders=[
            _order(0, 0, 1, 0, "isolated", (1, 1, 1), 90, -100, 8_480, 0),
            _order(1, 1, 2, 0, "cross", (2, 1, 2), 80, -20, 1_590, 0),
            _order(2, 1, 2, 1, "cross", (2, 1, 2), 100, -40, 3_840, 10),
            _order(3, 2, 3, 1, "isolated", (3, 1, 3), 92, -30, 2_700, 5),
            _order(4, 3, 4, 0, "isolated", (4, 2, 1), 70, -20, 1_400, 5),
        ],
        waterfall=[
            {
                "step": 1,
                "liquidation": 0,
                "account": 1,
                "mode": "isolated",
                "deficit_micro_usd": 20 * USD,
                "fund_micro_usd": 20 * USD,
            }
        ],
    )


def _asset(asset: int, name: str) -> dict[str, Any]:
    return {
        "asset": asset,
        "name": name,
        "kind": "perpetual",
        "tick_size_usd": 1.0,
        "lot_size": 1.0,
        "unit_value_micro_usd": USD,
        "initial_price_ticks": 100,
    }


def _account(account: int, wealth: int, final: int, at_index: int) -> dict[str, Any]:
    return {
        "account": account,
        "strategy": "speculator",
        "wealth_micro_usd": wealth * USD,
        "final_equity_micro_usd": final * USD,
        "final_equity_at_index_micro_usd": at_index * USD,
    }


def _position(account: int, asset: int, mode: str, lots: int) -> dict[str, Any]:
    return {
        "account": account,
        "asset": asset,
        "mode": mode,
        "initial_lots": lots,
        "initial_notional_micro_usd": lots * 100 * USD,
    }


def _path(step: int) -> list[dict[str, Any]]:
    index = (100, 90, 85)[min(step, 2)]
    mark = (100, 80, 70, 80)[min(step, 3)] if step < 10 else 85
    common = {"step": step, "bid_depth_lots": 50 if step == 2 else 200}
    return [
        {
            **common,
            "asset": 0,
            "index_ticks": index,
            "mark_ticks": mark,
            "lowest_mark_ticks": mark,
            "open_interest_lots": (170, 50, 30)[min(step, 2)],
            "volume_lots": (10, 130, 40, 0)[min(step, 3)],
            "forced_lots": (0, 120, 20, 0)[min(step, 3)],
        },
        {
            **common,
            "asset": 1,
            "index_ticks": 100,
            "mark_ticks": 92 if step == 1 else 100,
            "lowest_mark_ticks": 92 if step == 1 else 100,
            "open_interest_lots": 70 if step == 0 else 0,
            "volume_lots": 70 if step == 1 else 0,
            "forced_lots": 70 if step == 1 else 0,
        },
    ]


def _move(stage: int, step: int, number: int, asset: int, start: int, end: int) -> dict[str, Any]:
    ticks = {"from_ticks": start, "to_ticks": end}
    return {"stage": stage, "step": step, "round": number, "asset": asset, **ticks}


def _cause(stage: int, asset: int, cause: str, share: float, source: int = -1) -> dict[str, Any]:
    parts = {"cause": cause, "share": share, "liquidation": source}
    return {"stage": stage, "asset": asset, **parts}


def _amount(number: int, stage: int, asset: int, amount: int) -> dict[str, Any]:
    row = {"liquidation": number, "stage": stage, "asset": asset, "cause": "price"}
    return {**row, "amount_micro_usd": amount * USD}


def _spell(
    number: int,
    account: int,
    mode: str,
    asset: int,
    when: tuple[int, int, int],
    money: tuple[int, int, int],
    outcome: str,
) -> dict[str, Any]:
    stage, step, round_number = when
    equity, maintenance, before = money
    return {
        "liquidation": number,
        "account": account,
        "mode": mode,
        "asset": asset,
        "stage": stage,
        "step": step,
        "round": round_number,
        "equity_micro_usd": equity * USD,
        "maintenance_micro_usd": maintenance * USD,
        "excess_before_micro_usd": before * USD,
        "end_step": step,
        "outcome": outcome,
    }


def _order(
    number: int,
    source: int,
    account: int,
    asset: int,
    mode: str,
    when: tuple[int, int, int],
    mark: int,
    lots: int,
    cash: int,
    fee: int,
) -> dict[str, Any]:
    stage, step, round_number = when
    return {
        "order": number,
        "liquidation": source,
        "account": account,
        "asset": asset,
        "mode": mode,
        "stage": stage,
        "step": step,
        "round": round_number,
        "mark_ticks": mark,
        "lots": lots,
        "filled_lots": lots,
        "cash_micro_usd": cash * USD,
        "fee_micro_usd": fee * USD,
    }
