"""Small tools over columns: exact grouped sums, lookups by permanent id, money as USD."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Every table of one run's event log: table name -> column name -> values.
Tables = dict[str, dict[str, np.ndarray]]

MICRO_USD = 1_000_000


def usd(micro_usd: int | np.integer) -> float:
    """Return exact micro-USD as USD, rounded once."""
    return int(micro_usd) / MICRO_USD


def ratio(part: float, whole: float) -> float:
    """Return ``part / whole``, NaN where there is no whole."""
    return part / whole if whole else math.nan


def exact_sum(values: np.ndarray) -> float:
    """Sum floats with one rounding, so that neither order nor machine matters."""
    return math.fsum(values.tolist())


def as_int(values: np.ndarray) -> np.ndarray:
    """Return a column as int64."""
    return np.asarray(values, dtype=np.int64)


def is_in(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Tell for each id whether it is wanted."""
    return np.isin(as_int(ids), as_int(wanted))


def rows_of(ids: np.ndarray, sorted_ids: np.ndarray) -> np.ndarray:
    """Return the row of each id in ``sorted_ids``, -1 where it is not there."""
    if not len(sorted_ids):
        return np.full(len(ids), -1, np.int64)
    rows = np.minimum(np.searchsorted(sorted_ids, ids), len(sorted_ids) - 1)
    return np.where(sorted_ids[rows] == ids, rows, -1).astype(np.int64)


def sum_by(
    keys: Sequence[np.ndarray], values: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Sum integers by equal keys; the groups come sorted, first key first.

    >>> keys, sums = sum_by([np.array([2, 1, 2])], np.array([10, 20, 30]))
    >>> keys[0].tolist(), sums.tolist()
    ([1, 2], [20, 40])
    """
    if not len(values):
        return tuple(keys), values
    order = np.lexsort(tuple(reversed(keys)))
    ordered = [key[order] for key in keys]
    is_first = np.ones(len(order), bool)
    is_first[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in ordered])
    starts = np.flatnonzero(is_first)
    return tuple(key[starts] for key in ordered), np.add.reduceat(values[order], starts)


def spans(sorted_keys: np.ndarray, n: int) -> np.ndarray:
    """Return ``(n + 1,)`` bounds: key ``k`` of ``0 .. n-1`` holds rows ``b[k]:b[k + 1]``."""
    return np.searchsorted(sorted_keys, np.arange(n + 1))
