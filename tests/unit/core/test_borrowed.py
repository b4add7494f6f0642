"""Borrowed columns are the same memory, and nobody counts their holders."""

from __future__ import annotations

import sys

import numpy as np
from numba import njit

from stresslab.core.borrowed import borrow
from stresslab.core.columns import Fills, make_fills


@njit
def add_fill(fills: Fills, lots: int) -> int:
    fills = borrow(fills)
    if lots == 0:
        return 0
    fills.lots[fills.n[0]] = lots
    fills.n[0] += 1
    return fills.lots.size


def test_what_is_written_to_borrowed_columns_stays_in_the_callers():
    fills = make_fills(3)
    assert add_fill(fills, 0) == 0
    assert [add_fill(fills, lots) for lots in (7, -2)] == [3, 3]
    assert fills.n[0] == 2
    assert fills.lots.tolist() == [7, -2, 0]


def test_a_borrowing_kernel_leaves_the_count_of_holders_alone():
    fills = make_fills(1000)
    before = [sys.getrefcount(column) for column in fills]
    for _ in range(100):
        add_fill(fills, 3)
    assert fills.n[0] == 100
    assert [sys.getrefcount(column) for column in fills] == before


def test_a_strided_view_can_be_borrowed():
    @njit
    def total(column: np.ndarray) -> int:
        column = borrow(column)
        return column.sum()

    assert total(np.arange(10)[::3]) == 0 + 3 + 6 + 9
