"""A run beside its counterfactual twin: where they part, who is saved, who falls, who pays."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, as_int

#: Tables of events in which twins can part, in the order in which a round brings them about: its
#: orders move prices, by which pools are judged. What is settled comes after all rounds.
_EVENTS = (
    "forced_orders",
    "price_moves",
    "requirements",
    "liquidations",
    "waterfall",
    "adl",
    "socialised",
)
_AFTER_ALL_ROUNDS = ("waterfall", "adl", "socialised")
#: Tables of states, which differ from the start where somebody is taken out: asked last.
_STATES = ("path", "totals")
#: Columns that number rows or are written when a spell ends, which may be later.
_LATER = {"liquidation", "order", "stage", "end_step", "outcome"}


class Parting(NamedTuple):
    """The first event that differs; rows are None where one twin has no such event."""

    step: int
    table: str
    original: dict[str, object] | None
    twin: dict[str, object] | None


class Payers(NamedTuple):
    """Change of everybody's final equity against the original, exact micro-USD; sums to zero."""

    account: np.ndarray  # (n,) ids, largest change first
    micro_usd: np.ndarray  # (n,)
    house: dict[str, int]  # insurance_fund, fees, external and others


class Comparison(NamedTuple):
    """What the change did."""

    parting: Parting | None  # None: the twins are equal
    saved: np.ndarray  # ids of accounts liquidated in the original alone
    felled: np.ndarray  # ids of accounts liquidated in the twin alone
    saved_notional_micro_usd: int  # forced notional of the original less that of the twin
    payers: Payers


def compare(original: Tables, twin: Tables) -> Comparison:
    """Hold a twin against the original; both are event logs of one scenario's people."""
    fallen, fallen_in_twin = (
        np.unique(as_int(t["liquidations"]["account"])) for t in (original, twin)
    )
    return Comparison(
        first_difference(original, twin),
        np.setdiff1d(fallen, fallen_in_twin),
        np.setdiff1d(fallen_in_twin, fallen),
        forced_notional(original) - forced_notional(twin),
        payers(original, twin),
    )


def first_difference(original: Tables, twin: Tables) -> Parting | None:
    """Return the first event that differs; the first state, where all events are the same."""
    return _first(original, twin, _EVENTS) or _first(original, twin, _STATES)


def _first(original: Tables, twin: Tables, names: tuple[str, ...]) -> Parting | None:
    found = [_parting(name, original[name], twin[name]) for name in names]
    partings = [parting for parting in found if parting is not None]
    moments = [(*_moment(parting), names.index(parting.table)) for parting in partings]
    return partings[moments.index(min(moments))] if partings else None


def _moment(parting: Parting) -> tuple[int, float]:
    """Return step and round of the earlier of the two rows."""
    if parting.table in _AFTER_ALL_ROUNDS:
        return parting.step, math.inf
    rows = [row for row in (parting.original, parting.twin) if row is not None]
    rounds = [int(row.get("round", 0)) for row in rows if row["step"] == parting.step]  # type: ignore[call-overload]
    return parting.step, min(rounds)


def _parting(name: str, one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> Parting | None:
    columns = [column for column in one if column not in _LATER]
    shared = min(one["step"].size, other["step"].size)
    differs = np.zeros(shared, bool)
    for column in columns:
        differs |= one[column][:shared] != other[column][:shared]
    place = int(differs.argmax()) if differs.any() else shared
    rows = [_row(table, place) for table in (one, other)]
    if rows == [None, None]:
        return None
    step = min(int(row["step"]) for row in rows if row is not None)  # type: ignore[call-overload]
    return Parting(step, name, *rows)


def _row(table: dict[str, np.ndarray], place: int) -> dict[str, object] | None:
    if place >= table["step"].size:
        return None
    return {name: column[place].item() if isinstance(column[place], np.generic) else column[place]
            for name, column in table.items()}  # fmt: skip


def forced_notional(tables: Tables) -> int:
    """Return what all forced orders traded, micro-USD."""
    return int(np.abs(as_int(tables["forced_orders"]["cash_micro_usd"])).sum())


def payers(original: Tables, twin: Tables) -> Payers:
    """Return by how much everybody ends better or worse than in the original.

    Accounts, house and external hold all the money there is, in both: the changes sum to zero.
    """
    ids, equity = _final(original)
    ids_of_twin, equity_of_twin = _final(twin)
    if not np.array_equal(ids, ids_of_twin):
        raise ValueError("twins have different accounts")
    change = equity_of_twin - equity
    order = np.lexsort((ids, -np.abs(change)))
    house = {
        name.removesuffix("_micro_usd"): int(
            twin["totals"][name][-1] - original["totals"][name][-1]
        )
        for name in ("insurance_fund_micro_usd", "fees_micro_usd", "external_micro_usd")
    }
    house["other"] = -int(change.sum()) - sum(house.values())
    return Payers(ids[order], change[order], house)


def _final(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    ids = as_int(tables["accounts"]["account"])
    order = np.argsort(ids, kind="stable")
    return ids[order], as_int(tables["accounts"]["final_equity_micro_usd"])[order]
