"""The event log: the only bridge from a simulation to everything above it.

Each table below is a contract: name, columns, type and meaning. Exact values are integers:
``*_ticks`` (price), ``*_lots`` (signed quantity, positive is long or buy), ``*_micro_usd`` (money).
Accounts and assets are permanent ids (asset = place in the config); -1 means "none".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

INT, SMALL, FLOAT, TEXT = "int64", "int32", "float64", "str"

#: What can move a price or eat a pool's margin. ``liquidation`` carries a liquidation id.
CAUSES = (
    "index",
    "voluntary",
    "quotes",
    "resilience",
    "requirement",
    "funding",
    "fees",
    "own_execution",
    "transfer",
    "adl",
    "rounding",
    "liquidation",
    "stop",
    "bridge",
)
CAUSE_ID = {name: place for place, name in enumerate(CAUSES)}

MODES = ("flat", "isolated", "cross")
FLAT, ISOLATED, CROSS = range(3)


@dataclass(frozen=True)
class Column:
    """One column of an event table."""

    name: str
    type: str
    description: str


def _table(*columns: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*c) for c in columns)


TABLES: dict[str, tuple[Column, ...]] = {
    "assets": _table(
        ("asset", SMALL, "asset id"),
        ("name", TEXT, "name in the config"),
        ("kind", TEXT, "perpetual or spot"),
        ("tick_size_usd", FLOAT, "USD per tick"),
        ("lot_size", FLOAT, "base units per lot"),
        ("unit_value_micro_usd", INT, "micro-USD of one tick times one lot"),
        ("initial_price_ticks", INT, "index price before the first step"),
    ),
    "accounts": _table(
        ("account", INT, "account id"),
        ("group", TEXT, "name of the trader group in the config"),
        ("strategy", TEXT, "strategy"),
        ("wealth_micro_usd", INT, "equity of the whole account before the first step"),
        ("final_equity_micro_usd", INT, "equity of the whole account after the last step, at mark"),
        ("final_equity_at_index_micro_usd", INT, "the same, valued at the index"),
        ("fees_micro_usd", INT, "trading fees paid (negative: rebates received)"),
        ("funding_micro_usd", INT, "funding received, net"),
        ("penalties_micro_usd", INT, "liquidation penalties paid"),
        ("n_topups", INT, "margin top-ups made by hand"),
        ("n_stops", INT, "stop orders triggered: stop-losses and take-profits"),
        ("n_margin_calls", INT, "margin calls received"),
        ("n_cuts", INT, "positions cut in answer to margin calls"),
        (
            "n_gaps",
            INT,
            "liquidations without an alert: one move went from above every level to a breach",
        ),
    ),
    "positions": _table(
        ("account", INT, "account id"),
        ("asset", SMALL, "asset id"),
        ("mode", TEXT, "margin mode before the first step"),
        ("initial_lots", INT, "position before the first step"),
        ("final_lots", INT, "position after the last step"),
        ("initial_notional_micro_usd", INT, "absolute notional before the first step"),
    ),
    "shocks": _table(
        ("asset", SMALL, "asset shocked by the scenario"),
        ("fall", FLOAT, "simple fraction by which the index falls"),
        ("first_step", SMALL, "first step of the fall"),
        ("last_step", SMALL, "last step of the fall"),
    ),
    "liquidation_map": _table(
        ("asset", SMALL, "asset whose price moves alone"),
        ("mode", TEXT, "isolated or cross pools"),
        ("move", FLOAT, "simple return of the asset's mark, upper edge of the bin for falls"),
        (
            "notional_micro_usd",
            INT,
            "notional of all positions of the pools that breach by this move",
        ),
        ("pools", INT, "pools that breach by this move"),
    ),
    "path": _table(
        ("step", SMALL, "step"),
        ("asset", SMALL, "asset id"),
        ("index_ticks", INT, "index price"),
        ("mark_ticks", INT, "mark price at the end of the step"),
        ("lowest_mark_ticks", INT, "lowest mark of all judgements in the step"),
        ("best_bid_ticks", INT, "best bid at the end of the step, -1 if none"),
        ("best_ask_ticks", INT, "best ask at the end of the step, -1 if none"),
        ("bid_depth_lots", INT, "lots bid within 1 % of the mark"),
        ("ask_depth_lots", INT, "lots offered within 1 % of the mark"),
        ("open_interest_lots", INT, "sum of long positions of the traders"),
        ("volume_lots", INT, "lots traded in the step, forced ones included"),
        ("forced_lots", INT, "forced lots filled in the step, absolute"),
        ("insurance_fund_micro_usd", INT, "balance of the asset's own insurance fund, 0 if shared"),
        ("is_halted", SMALL, "1 if a circuit breaker halts the market at the end of the step"),
    ),
    "requirements": _table(
        (
            "step",
            SMALL,
            "step from which it holds, that before the first for what the run opens at",
        ),
        ("asset", SMALL, "perpetual; there are rows where a rule may change margin rates"),
        ("initial_add_on", FLOAT, "added to the initial margin rate of the lowest bracket"),
        ("maintenance_add_on", FLOAT, "added to the maintenance margin rates of all brackets"),
    ),
    "totals": _table(
        ("step", SMALL, "step"),
        ("seconds", FLOAT, "end of the step, seconds since the start"),
        ("insurance_fund_micro_usd", INT, "balance of all insurance funds"),
        ("fees_micro_usd", INT, "balance of the fee account"),
        ("external_micro_usd", INT, "equity of external at mark"),
        ("rounds", INT, "liquidation rounds in the step"),
        ("postings", INT, "ledger postings so far"),
    ),
    "balances": _table(
        ("step", SMALL, "step, that before the first for what the run opens with"),
        ("stage", TEXT, "stage after which it holds: open, match, settle or fund"),
        (
            "holder",
            TEXT,
            "account, or one of the house: external, insurance_fund, fees, rounding, clearing, "
            "shortfall, chains",
        ),
        ("account", INT, "account id, -1 for the house"),
        (
            "asset",
            SMALL,
            "asset of the position with what its isolated pool holds, -1 for the wallet; of the "
            "house's lots or the market's own insurance fund, else -1",
        ),
        ("mode", TEXT, "cross (the wallet too), isolated, or flat"),
        ("cash_micro_usd", INT, "cash, net of what positions cost"),
        ("lots", INT, "signed lots held"),
    ),
    "price_moves": _table(
        ("stage", INT, "stage id, increasing through the run"),
        ("step", SMALL, "step"),
        ("round", SMALL, "forced round inside the step; 0 is the mark before round 1"),
        ("asset", SMALL, "asset id"),
        ("from_ticks", INT, "mark before the stage"),
        ("to_ticks", INT, "mark after the stage"),
    ),
    "price_causes": _table(
        ("stage", INT, "stage id of the price move"),
        ("asset", SMALL, "asset id"),
        ("cause", TEXT, "one of CAUSES"),
        ("liquidation", INT, "liquidation id when the cause is `liquidation`, else -1"),
        ("share", FLOAT, "share of the move; shares of a move sum to one, may be negative"),
    ),
    "liquidations": _table(
        ("liquidation", INT, "liquidation id: one spell of a pool, in order of first breach"),
        ("account", INT, "account id"),
        ("mode", TEXT, "isolated or cross"),
        ("asset", SMALL, "asset of the isolated position, -1 for a cross pool"),
        ("stage", INT, "stage of the first breach"),
        ("step", SMALL, "step of the first breach"),
        ("round", SMALL, "round after which the breach was seen, 0 before round 1"),
        ("equity_micro_usd", INT, "pool equity at the first breach"),
        ("maintenance_micro_usd", INT, "maintenance margin at the first breach"),
        ("notional_micro_usd", INT, "gross notional of the pool at the first breach"),
        ("excess_before_micro_usd", INT, "equity - maintenance at the last judgement before"),
        ("end_step", SMALL, "step in which the spell ended"),
        ("outcome", TEXT, "restored, closed, bankrupt or open (still in breach at the end)"),
    ),
    "breach_legs": _table(
        ("liquidation", INT, "liquidation id"),
        ("asset", SMALL, "asset id"),
        ("position_lots", INT, "position held at the first breach"),
    ),
    "breach_amounts": _table(
        ("liquidation", INT, "liquidation id"),
        ("stage", INT, "stage of the price move, -1 for causes that are no price move"),
        ("asset", SMALL, "asset of the price move, -1 otherwise"),
        ("cause", TEXT, "`price` for a price move (split by price_causes), else one of CAUSES"),
        (
            "source_liquidation",
            INT,
            "liquidation id whose deficit or open lots deleveraged the pool when the cause is "
            "`adl`, else -1",
        ),
        (
            "amount_micro_usd",
            INT,
            "margin eaten since the last judgement, positive eats; sums to excess_before - excess",
        ),
    ),
    "late_value": _table(
        ("liquidation", INT, "liquidation id of a cross pool with value in flight at its breach"),
        ("in_flight_micro_usd", INT, "value in flight that did not count as collateral yet"),
    ),
    "chain_transfers": _table(
        ("transfer", INT, "transfer id, in order of sending"),
        ("account", INT, "account id"),
        ("chain", TEXT, "chain that the value leaves for the venue's"),
        ("sent_step", SMALL, "step in which it was sent"),
        ("due_step", SMALL, "step in which it lands"),
        ("amount_micro_usd", INT, "amount in flight, its fee paid already"),
        ("fee_micro_usd", INT, "fee, to external"),
        ("outcome", TEXT, "arrived, failed, seized or in_flight (still so at the end)"),
    ),
    "forced_orders": _table(
        ("order", INT, "forced order id"),
        ("liquidation", INT, "liquidation id"),
        ("account", INT, "account id"),
        ("asset", SMALL, "asset id"),
        ("mode", TEXT, "isolated or cross"),
        ("stage", INT, "stage of the round"),
        ("step", SMALL, "step"),
        ("round", SMALL, "round"),
        ("mark_ticks", INT, "mark at which the round was judged"),
        ("lots", INT, "signed lots ordered"),
        ("filled_lots", INT, "signed lots filled"),
        ("cash_micro_usd", INT, "cash received for the fill, negative if paid"),
        ("fee_micro_usd", INT, "taker fee"),
        (
            "penalty_micro_usd",
            INT,
            "liquidation penalty, to the insurance fund; negative: what it paid for a takeover",
        ),
    ),
    "waterfall": _table(
        ("step", SMALL, "step"),
        ("liquidation", INT, "liquidation id"),
        ("account", INT, "account id"),
        ("asset", SMALL, "asset charged with the deficit"),
        ("mode", TEXT, "isolated or cross"),
        (
            "deficit_micro_usd",
            INT,
            "negative equity covered in the step: fund + adl + socialised; below 0 it is equity "
            "that winners got with a leg that no book took",
        ),
        ("fund_micro_usd", INT, "paid by the insurance fund"),
        ("adl_micro_usd", INT, "seized from winners by auto-deleveraging"),
        (
            "socialised_micro_usd",
            INT,
            "socialised loss; below 0 the fund has paid what was to be kept back on withdrawal",
        ),
    ),
    "adl": _table(
        ("step", SMALL, "step"),
        ("liquidation", INT, "liquidation id whose deficit or open lots are dealt with"),
        ("account", INT, "winner"),
        ("asset", SMALL, "asset"),
        ("lots", INT, "signed lots by which the winner's position changed"),
        ("loss_micro_usd", INT, "what the winner loses against the mark; below 0 it gains"),
    ),
    "socialised": _table(
        ("step", SMALL, "step"),
        ("liquidation", INT, "liquidation id whose deficit is paid, -1 on withdrawal, for all"),
        ("account", INT, "payer"),
        ("asset", SMALL, "asset charged with the deficit, -1 on withdrawal"),
        ("loss_micro_usd", INT, "amount paid"),
    ),
    "alerts": _table(
        ("step", SMALL, "step"),
        ("round", SMALL, "round after which the alert went out, 0 before round 1"),
        ("account", INT, "account id"),
        ("mode", TEXT, "isolated or cross"),
        ("asset", SMALL, "asset of the isolated position, -1 for a cross pool"),
        ("level", FLOAT, "highest level crossed, maintenance margin over equity"),
        ("equity_micro_usd", INT, "pool equity"),
        ("maintenance_micro_usd", INT, "maintenance margin"),
    ),
    "requests": _table(
        ("step", SMALL, "step"),
        ("account", INT, "account id"),
        ("asset", SMALL, "asset id"),
        ("request", TEXT, "isolated, cross (the margin mode asked for), add or withdraw margin"),
        ("amount_micro_usd", INT, "margin to be moved, 0 for a margin mode"),
        ("answer", TEXT, "`taken`, or the reason of the refusal"),
    ),
    "counts": _table(
        ("fills", INT, "fills in the run"),
        ("orders", INT, "order requests of the traders"),
        ("refused", INT, "orders refused by margin or mode rules"),
        ("cancelled", INT, "resting orders cancelled before liquidation"),
    ),
}

#: Tables that are recorded, and stored, only where the scenario asks for them.
ON_REQUEST = frozenset({"balances"})


class EventLog:
    """Append-only columns, one set per table of :data:`TABLES`.

    Rows arrive as scalars (rare events) or whole numpy columns (per step); ``columns`` gives each
    table as one dict of arrays in the order of appending.
    """

    def __init__(self) -> None:
        self._chunks: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def append(self, table: str, **columns: Any) -> None:
        """Append one row, or several when any column is a sequence (scalars are repeated)."""
        self._chunks[table].append(columns)

    def columns(self, table: str) -> dict[str, np.ndarray]:
        """Return the table as arrays, one per column, in order of appending."""
        schema, chunks = TABLES[table], self._chunks[table]
        lengths = [_length(chunk) for chunk in chunks]
        return {c.name: _joined([chunk[c.name] for chunk in chunks], lengths, c) for c in schema}


def _length(chunk: dict[str, Any]) -> int:
    """Return the number of rows: that of any column which is a sequence, or one."""
    return next((len(value) for value in chunk.values() if _is_sequence(value)), 1)


_SCALARS = frozenset((int, float, bool, str))


def _is_sequence(value: Any) -> bool:
    if type(value) in _SCALARS:
        return False
    n_dimensions = getattr(value, "ndim", None)
    if n_dimensions is not None:
        return bool(n_dimensions > 0)
    return hasattr(value, "__len__") and not isinstance(value, str)


def _joined(values: list[Any], lengths: list[int], column: Column) -> np.ndarray:
    """Return one column of all chunks; a scalar stands for every row of its chunk."""
    import numpy as np  # here, so that naming a table need not load it

    kind = _numpy_type(column.type)
    types = set(map(type, values))
    if types <= _SCALARS:
        return np.repeat(np.array(values, kind), lengths)
    if types == {np.ndarray} and [value.shape for value in values] == [(n,) for n in lengths]:
        return np.concatenate(values, dtype=kind, casting="unsafe")
    are_sequences = [*map(_is_sequence, values)]
    if not any(are_sequences):
        return np.repeat(np.array(values, kind), lengths)
    parts = [
        value if is_sequence else (value,) * length
        for value, length, is_sequence in zip(values, lengths, are_sequences, strict=True)
    ]
    if [*map(len, parts)] != lengths:
        raise ValueError(f"columns of unequal length beside {column.name!r}")
    if set(map(type, parts)) == {np.ndarray}:
        return np.concatenate(parts, dtype=kind, casting="unsafe")
    joined = np.empty(sum(lengths), kind)
    first = 0
    for part, length in zip(parts, lengths, strict=True):
        joined[first : first + length] = part
        first += length
    return joined


def _numpy_type(name: str) -> Any:
    import numpy as np

    return object if name == TEXT else np.dtype(name)
