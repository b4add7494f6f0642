"""Who ate a pool's margin before its first breach, and with what share it tipped the pool over.

The recorder books, for each liquidation, the margin eaten since the last judgement: price moves by
(stage, asset), other causes as they are. Here a price move's amount is split over the causes of the
move, netted by cause, and projected to trigger shares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, as_int, rows_of, spans, sum_by
from stresslab.core.errors import InvariantError
from stresslab.core.events import CAUSE_ID

NONE = -1
LIQUIDATION = CAUSE_ID["liquidation"]
ADL = CAUSE_ID["adl"]
ROUNDING = CAUSE_ID["rounding"]


class Amounts(NamedTuple):
    """Margin eaten, one row per (liquidation, cause, source, asset), sorted by these; (n,) each."""

    liquidation: np.ndarray  # id of the liquidation whose pool lost the margin
    cause: np.ndarray  # place in CAUSES
    source: np.ndarray  # id of the liquidation that sold or deleveraged, -1 for every other cause
    asset: np.ndarray  # asset whose price moved, -1 for causes that are no price move
    micro_usd: np.ndarray  # positive eats margin, negative gave some back


class Triggers(NamedTuple):
    """Net amount and trigger share per (liquidation, cause, source), sorted by these."""

    liquidation: np.ndarray
    cause: np.ndarray
    source: np.ndarray
    micro_usd: np.ndarray
    share: np.ndarray  # max(L, 0) / sum of max(L, 0) over the liquidation


def eaten(tables: Tables) -> Amounts:
    """Return the margin eaten per liquidation, cause, source and asset, exact to the micro-USD.

    A price move's amount is split by the recorded shares, floored, and what the floors leave over
    is booked to `rounding`: whatever the shares, the parts sum to the recorded amount.
    """
    rows = tables["breach_amounts"]
    is_price = np.asarray(rows["cause"] == "price", dtype=bool)
    others = {name: column[~is_price] for name, column in rows.items()}
    cause = _cause_ids(others["cause"])
    direct = (
        as_int(others["liquidation"]),
        cause,
        np.where(cause == ADL, as_int(others["source_liquidation"]), NONE),
        np.full(len(cause), NONE),
        as_int(others["amount_micro_usd"]),
    )
    priced = _split(tables, {name: column[is_price] for name, column in rows.items()})
    columns = [np.concatenate(pair) for pair in zip(priced, direct, strict=True)]
    keys, micro_usd = sum_by(columns[:-1], columns[-1])
    is_some = micro_usd != 0
    return Amounts._make(column[is_some] for column in (*keys, micro_usd))


def _split(tables: Tables, rows: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    causes = tables["price_causes"]
    n_assets = len(tables["assets"]["asset"])
    move = as_int(causes["stage"]) * n_assets + as_int(causes["asset"])
    order = np.argsort(move, kind="stable")
    wanted = as_int(rows["stage"]) * n_assets + as_int(rows["asset"])
    first, last = (np.searchsorted(move[order], wanted, side) for side in ("left", "right"))
    _refuse_unexplained(rows, first == last)

    row, part = expand(first, last)
    part = order[part]
    amount, liquidation = as_int(rows["amount_micro_usd"]), as_int(rows["liquidation"])
    asset = as_int(rows["asset"])
    share = _finite(np.asarray(causes["share"], dtype=np.float64)[part])
    piece = np.floor(share * amount[row]).astype(np.int64)
    left_over = amount.copy()
    np.subtract.at(left_over, row, piece)

    cause = _cause_ids(causes["cause"])[part]
    source = np.where(cause == LIQUIDATION, as_int(causes["liquidation"])[part], NONE)
    n = len(amount)
    return (
        np.concatenate([liquidation[row], liquidation]),
        np.concatenate([cause, np.full(n, ROUNDING)]),
        np.concatenate([source, np.full(n, NONE)]),
        np.concatenate([asset[row], asset]),
        np.concatenate([piece, left_over]),
    )


def _cause_ids(names: np.ndarray) -> np.ndarray:
    return np.array([CAUSE_ID[name] for name in names.tolist()], dtype=np.int64)


def expand(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (row, member) for every member of the half-open ranges ``first:last``."""
    size = last - first
    row = np.repeat(np.arange(len(size)), size)
    start = np.repeat(first - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
    return row, start + np.arange(len(row))


def _finite(share: np.ndarray) -> np.ndarray:
    if not np.isfinite(share).all():
        raise InvariantError("price_causes: a share of a price move is not a finite number")
    return share


def _refuse_unexplained(rows: dict[str, np.ndarray], is_unexplained: np.ndarray) -> None:
    if not is_unexplained.any():
        return
    row = int(np.flatnonzero(is_unexplained)[0])
    raise InvariantError(
        f"liquidation {int(rows['liquidation'][row])}: margin was eaten by the price move of asset "
        f"{int(rows['asset'][row])} at stage {int(rows['stage'][row])}, which has no causes"
    )


def triggers(amounts: Amounts) -> Triggers:
    """Return trigger shares: who tipped each pool over between its last judgement and its breach.

    Causes that gave margin back are clipped at zero. A liquidation none of whose causes ate margin
    (only possible where a breach is ``equity <= maintenance``) has shares of zero.
    """
    keys, net = sum_by(amounts[:3], amounts.micro_usd)
    liquidation = keys[0]
    positive = np.maximum(net, 0)
    ids, first = np.unique(liquidation, return_index=True)
    total = np.add.reduceat(positive, first) if len(ids) else positive
    whole = total[rows_of(liquidation, ids)]
    share = np.divide(positive, whole, out=np.zeros(len(net)), where=whole > 0)
    return Triggers._make((*keys, net, share))


def clipped(found: Triggers) -> tuple[int, int]:
    """Return micro-USD given back, which trigger shares leave out, and micro-USD eaten."""
    gave = -int(np.minimum(found.micro_usd, 0).sum())
    return gave, int(np.maximum(found.micro_usd, 0).sum())


def asset_shares(amounts: Amounts, found: Triggers, ids: np.ndarray, n_assets: int) -> np.ndarray:
    """Split trigger shares over the assets whose price did it.

    Returns
    -------
    (n_liquidations, 2, n_assets + 1): second axis exogenous, endogenous; the last asset stands for
    causes that are no price move. A cause's share goes to assets by what each of them ate. Whatever
    has a liquidation behind it is endogenous: its sales, and deleveraging for its deficit.
    """
    shares = np.zeros((len(ids), 2, n_assets + 1))
    if not len(amounts.micro_usd):
        return shares
    cause_row = _cause_rows(amounts)
    positive = np.maximum(amounts.micro_usd, 0)
    bounds = spans(cause_row, len(found.share))
    whole = np.add.reduceat(positive, bounds[:-1])[cause_row]
    part = np.divide(positive, whole, out=np.zeros(len(positive)), where=whole > 0)
    row = rows_of(amounts.liquidation, ids)
    endogenous = (amounts.source != NONE).astype(np.int64)
    asset = np.where(amounts.asset == NONE, n_assets, amounts.asset)
    np.add.at(shares, (row, endogenous, asset), part * found.share[cause_row])
    return shares


def _cause_rows(amounts: Amounts) -> np.ndarray:
    """Return for each amount the row of its (liquidation, cause, source) among the triggers."""
    is_new = np.zeros(len(amounts.cause), bool)
    for key in amounts[:3]:
        is_new[1:] |= key[1:] != key[:-1]
    return np.cumsum(is_new)
