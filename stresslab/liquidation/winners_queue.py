"""The queue of winners that stands while a step is settled: ranked once, then kept up to date.

A deficit asks few winners and changes few, so ranking everybody again for the next one would make
settling quadratic in the crowd.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

_BLOCK = 64  # winners looked at in one go

_Entry = tuple[float, int, int, int]  # -score, place by id, row, most: sorts as winners are asked


class Ranked(NamedTuple):
    """Winners with their rank score and what each has to give, in order of account id."""

    row: np.ndarray  # (n,) of the account
    score: np.ndarray  # (n,)
    most: np.ndarray  # (n,) lots or micro-USD


class WinnersQueue:
    """Who is asked first of one side of one market: the highest score, ties by account id.

    Parameters
    ----------
    place : (N,) of each row in order of account id
    by_id : (N,) rows in order of account id
    log : rows that have changed so far; it grows, and the queue reads on
    rank : returns those of some rows, given in order of account id, that belong in the queue
    """

    def __init__(
        self,
        place: np.ndarray,
        by_id: np.ndarray,
        log: Sequence[int],
        rank: Callable[[np.ndarray], Ranked],
    ) -> None:
        self._place, self._by_id, self._log, self._rank = place, by_id, log, rank
        self._order()

    def walk(self, exclude: int) -> Iterator[tuple[int, int]]:
        """Return (row, most that it gives) in order of rank, as it is now, without one row."""
        self._catch_up()
        entries = heapq.merge(self._unchanged(), self._again)
        return ((row, most) for _, _, row, most in entries if row != exclude)

    def _order(self) -> None:
        """Rank everybody."""
        found = self._rank(self._by_id)
        order = np.argsort(-found.score, kind="stable")
        self._once = Ranked(*(column[order] for column in found))
        self._head, self._n_read = 0, len(self._log)
        self._has_changed = np.zeros(self._place.size, np.bool_)
        self._entry_of: dict[int, _Entry] = {}
        self._again: list[_Entry] = []

    def _catch_up(self) -> None:
        """Rank those anew that have changed since; everybody, if they are many."""
        rows = np.unique(np.array(self._log[self._n_read :], np.int64))
        self._n_read = len(self._log)
        if rows.size == 0:
            return
        if 4 * rows.size > self._once.row.size + _BLOCK:
            self._order()
            return
        self._has_changed[rows] = True
        for row in rows.tolist():
            before = self._entry_of.pop(row, None)
            if before is not None:
                del self._again[bisect_left(self._again, before)]
        found = self._rank(rows[np.argsort(self._place[rows])])
        for entry in self._entries(found):
            self._entry_of[entry[2]] = entry
            insort(self._again, entry)

    def _unchanged(self) -> Iterator[_Entry]:
        """Yield those who rank as they did when everybody was ranked."""
        rows = self._once.row
        while self._head < rows.size and self._has_changed[rows[self._head]]:
            self._head += 1
        for first in range(self._head, rows.size, _BLOCK):
            block = Ranked(*(column[first : first + _BLOCK] for column in self._once))
            for entry in self._entries(block):
                if not self._has_changed[entry[2]]:
                    yield entry

    def _entries(self, ranked: Ranked) -> Iterator[_Entry]:
        columns = (-ranked.score, self._place[ranked.row], ranked.row, ranked.most)
        return zip(*(column.tolist() for column in columns), strict=True)
