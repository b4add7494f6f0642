"""Whose deficit deleveraged whom since the last judgement: the sources behind the journal's ADL."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.errors import InvariantError
from stresslab.core.events import CROSS
from stresslab.liquidation.judgement import book_need, eaten_by_move, held_by
from stresslab.margin.pools import position_value
from stresslab.margin.tiers import MarginTables

_CODE, _ASSET, _LOTS, _CASH, _SOURCE = range(5)


@dataclass
class AdlTrail:
    """Every transfer by auto-deleveraging since the last judgement, in order.

    A row is the pool's code, the asset, the signed lots that the pool got, what it paid in
    micro-USD and the liquidation whose deficit made it pay.
    """

    _chunks: list[np.ndarray] = field(default_factory=list)

    def note(
        self, codes: np.ndarray, asset: int, lots: np.ndarray, cash: np.ndarray, source: int
    ) -> None:
        """Remember what pools got and paid for one liquidation."""
        if codes.size:
            rows = np.empty((5, codes.size), np.int64)
            rows[_CODE], rows[_ASSET], rows[_LOTS] = codes, asset, lots
            rows[_CASH], rows[_SOURCE] = cash, source
            self._chunks.append(rows)

    def clear(self) -> None:
        """Forget everything: a judgement has just been made."""
        self._chunks.clear()

    def sources(
        self, accounts: Accounts, tables: MarginTables, marks_before: np.ndarray,
        marks: np.ndarray, pools: np.ndarray, total: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Return (place in ``pools``, liquidation, micro-USD eaten), by place and liquidation.

        ``total`` is what ADL ate of each pool according to the journal.

        Raises
        ------
        InvariantError
            When the parts of a pool do not add up to that.
        """
        place, source, amount = np.empty((3, 0), np.int64)
        if self._chunks:
            rows = np.concatenate(self._chunks, axis=1)
            rows = rows[:, np.isin(rows[_CODE], pools)]
            parts = np.zeros(rows.shape[1], np.int64)
            room = np.zeros((accounts.position.shape[0], 2), np.int64)
            by_code = np.argsort(rows[_CODE], kind="stable")
            codes, first = np.unique(rows[_CODE, by_code], return_index=True)
            for code, mine in zip(codes, np.split(by_code, first)[1:], strict=True):
                if code < accounts.id.size and tables.portfolio.shape[0] > 0:
                    book, mode = room[:, :1].copy(), np.full((len(room), 1), CROSS, np.int8)
                    _split_book(accounts, tables, marks, code, rows, mine, parts, book, mode)
                else:
                    _split(accounts, tables, marks_before, marks, code, rows, mine, parts, room)
            order = np.argsort(pools)
            places = order[np.searchsorted(pools, rows[_CODE], sorter=order)]
            place, source, amount = _summed(places, rows, parts)
        sums = np.zeros(pools.size, np.int64)
        np.add.at(sums, place, amount)
        for wrong in np.flatnonzero(sums != total):
            raise InvariantError(
                f"account {accounts.id[pools[wrong] % accounts.id.size]}: the sources of ADL add "
                f"up to {sums[wrong]} micro-USD, the journal to {total[wrong]}"
            )
        is_some = amount != 0
        return place[is_some], source[is_some], amount[is_some]


def _summed(
    place: np.ndarray, rows: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the parts summed by place and source, sorted by these."""
    keys, group = np.unique(np.stack([place, rows[_SOURCE]]), axis=1, return_inverse=True)
    amount = np.zeros(keys.shape[1], np.int64)
    np.add.at(amount, group.ravel(), parts)
    return keys[0], keys[1], amount


@kernel
def _split(accounts, tables, marks_before, marks, code, rows, mine, parts, room):
    """Write what each transfer ate: what it cost at the old marks, and the moves since of its lots.

    ``room`` (A, 2) holds what has been eaten of the lots before a transfer, and these lots.
    """
    pool, n = code // accounts.position.shape[1], code % accounts.position.shape[1]
    for a in range(room.shape[0]):
        room[a, 1] = held_by(accounts.position[a, n], accounts.mode[a, n], pool, a)
    for k in mine:
        room[rows[_ASSET, k], 1] -= rows[_LOTS, k]
    for a in range(room.shape[0]):
        room[a, 0] = eaten_by_move(tables, marks_before, marks, a, room[a, 1])
    for k in mine:
        a, lots = rows[_ASSET, k], rows[_LOTS, k]
        room[a, 1] += lots
        eaten = eaten_by_move(tables, marks_before, marks, a, room[a, 1])
        parts[k] = rows[_CASH, k] - position_value(tables, marks_before, a, lots)
        parts[k] += eaten - room[a, 0]
        room[a, 0] = eaten


@kernel
def _split_book(accounts, tables, marks, code, rows, mine, parts, book, mode):
    """Write the same for a cross pool that scenarios margin; ``book`` (A, 1) is room for it.

    A transfer that breaks a hedge is charged with what the rest of the book is asked for it.
    """
    n = code
    for a in range(book.shape[0]):
        book[a, 0] = held_by(accounts.position[a, n], accounts.mode[a, n], 0, a)
    for k in mine:
        book[rows[_ASSET, k], 0] -= rows[_LOTS, k]
    before = _missing(tables, marks, book, mode)
    for k in mine:
        book[rows[_ASSET, k], 0] += rows[_LOTS, k]
        missing = _missing(tables, marks, book, mode)
        parts[k] = rows[_CASH, k] + missing - before
        before = missing


@kernel
def _missing(tables, marks, book, mode):
    """Return the maintenance margin of a book less its value, micro-USD."""
    missing = book_need(tables, marks, book, mode)
    for a in range(marks.size):
        missing -= position_value(tables, marks, a, book[a, 0])
    return missing
