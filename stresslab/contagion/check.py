"""What must hold in every event log before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stresslab.contagion.attribution import Amounts, eaten
from stresslab.contagion.columns import Tables, as_int, rows_of, sum_by
from stresslab.core.errors import InvariantError

#: Shares of a price move are floats; they sum to one within this, relative to their size.
SHARE_TOLERANCE = 1e-9


def check(tables: Tables) -> None:
    """Raise :class:`InvariantError` naming the first faults of an event log, if it has any."""
    refuse(faults(tables))


def refuse(found: list[str]) -> None:
    """Raise :class:`InvariantError` if there are faults."""
    if found:
        more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
        raise InvariantError("; ".join(found[:5]) + more)


def faults(tables: Tables) -> list[str]:
    """Return one sentence per broken rule: causes add up, to the unit, and come before effects."""
    return faults_of(tables, eaten(tables))


def faults_of(tables: Tables, amounts: Amounts) -> list[str]:
    """Return the same for amounts that are already at hand."""
    return [
        *_unknown_liquidations(tables),
        *_unknown_moves(tables),
        *_unbalanced_amounts(tables, amounts),
        *_impossible_sources(tables, amounts),
        *_unbalanced_shares(tables),
        *_unbalanced_deficits(tables),
        *_unbalanced_payers(tables),
    ]


def _unknown_liquidations(tables: Tables) -> Iterator[str]:
    known = np.sort(as_int(tables["liquidations"]["liquidation"]))
    for table in ("breach_amounts", "breach_legs", "forced_orders"):
        ids = np.unique(as_int(tables[table]["liquidation"]))
        for unknown in ids[rows_of(ids, known) < 0].tolist():
            yield f"{table}: liquidation {unknown} is not in the table of liquidations"


def _unknown_moves(tables: Tables) -> Iterator[str]:
    moves, causes = tables["price_moves"], tables["price_causes"]
    n_assets = len(tables["assets"]["asset"])
    known = np.unique(as_int(moves["stage"]) * n_assets + as_int(moves["asset"]))
    wanted = np.unique(as_int(causes["stage"]) * n_assets + as_int(causes["asset"]))
    for move in wanted[rows_of(wanted, known) < 0].tolist():
        stage, asset = divmod(move, n_assets)
        yield f"price_causes: stage {stage}, asset {asset} is not in the table of price moves"


def _unbalanced_amounts(tables: Tables, amounts: Amounts) -> Iterator[str]:
    rows = tables["liquidations"]
    ids = as_int(rows["liquidation"])
    excess = as_int(rows["equity_micro_usd"]) - as_int(rows["maintenance_micro_usd"])
    lost = as_int(rows["excess_before_micro_usd"]) - excess
    (known,), sums = sum_by([amounts.liquidation], amounts.micro_usd)
    place = rows_of(ids, known)
    explained = np.where(place >= 0, sums[place] if len(sums) else 0, 0)
    for row in np.flatnonzero(explained != lost).tolist():
        yield (
            f"liquidation {int(ids[row])}: causes add up to {int(explained[row])} micro-USD, the "
            f"excess over maintenance fell by {int(lost[row])}"
        )


def _impossible_sources(tables: Tables, amounts: Amounts) -> Iterator[str]:
    ids = np.sort(as_int(tables["liquidations"]["liquidation"]))
    has_source = amounts.source >= 0
    is_known = (rows_of(amounts.source, ids) >= 0) & (amounts.source < amounts.liquidation)
    for row in np.flatnonzero(has_source & ~is_known).tolist():
        yield (
            f"liquidation {int(amounts.liquidation[row])}: caused by liquidation "
            f"{int(amounts.source[row])}, which is not an earlier one"
        )


def _unbalanced_shares(tables: Tables) -> Iterator[str]:
    causes = tables["price_causes"]
    stage, asset = as_int(causes["stage"]), as_int(causes["asset"])
    share = np.asarray(causes["share"], dtype=np.float64)
    keys, sums = sum_by([stage, asset], share)
    _, sizes = sum_by([stage, asset], np.abs(share))
    is_whole = np.abs(sums - 1) <= SHARE_TOLERANCE * np.maximum(sizes, 1)
    for row in np.flatnonzero(~is_whole).tolist():
        yield (
            f"stage {int(keys[0][row])}, asset {int(keys[1][row])}: shares of the price move sum "
            f"to {float(sums[row])!r}, not 1"
        )


def _unbalanced_deficits(tables: Tables) -> Iterator[str]:
    rows = {name: column for name, column in tables["waterfall"].items() if name.endswith("_usd")}
    deficit = as_int(rows["deficit_micro_usd"])
    paid = sum(as_int(rows[f"{payer}_micro_usd"]) for payer in ("fund", "adl", "socialised"))
    for row in np.flatnonzero(deficit != paid).tolist():
        yield (
            f"liquidation {int(tables['waterfall']['liquidation'][row])}: a deficit of "
            f"{int(deficit[row])} micro-USD was covered by {int(np.asarray(paid)[row])}"
        )


def _unbalanced_payers(tables: Tables) -> Iterator[str]:
    """Compare what named accounts paid for each liquidation with what the waterfall says.

    What is kept back on withdrawal is paid for all liquidations together, and by no more than
    accounts have.
    """
    if (as_int(tables["socialised"]["liquidation"]) < 0).any():
        payers: tuple[str, ...] = ("adl",)
    else:
        payers = ("adl", "socialised")
    for payer in payers:
        told = _by_liquidation(tables["waterfall"], f"{payer}_micro_usd")
        named = _by_liquidation(tables[payer], "loss_micro_usd")
        for number in sorted(told.keys() | named.keys()):
            paid, due = named.get(number, 0), told.get(number, 0)
            if paid != due:
                yield (
                    f"liquidation {number}: accounts paid {paid} micro-USD in table {payer}, the "
                    f"waterfall says {due}"
                )


def _by_liquidation(rows: dict[str, np.ndarray], column: str) -> dict[int, int]:
    (numbers,), sums = sum_by([as_int(rows["liquidation"])], as_int(rows[column]))
    return dict(zip(numbers.tolist(), sums.tolist(), strict=True))
