"""Kernels write to their caller's arrays, count no holders, and are compiled once each."""

from __future__ import annotations

import secrets
import shutil
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import NumbaError

from stresslab.core.columns import Fills, make_fills
from stresslab.core.compiled import interpreted, kernel


@kernel
def add_fill(fills: Fills, lots: int) -> int:
    if lots == 0:
        return 0
    fills.lots[fills.n[0]] = lots
    fills.n[0] += 1
    return fills.lots.size


@kernel
def add_two_fills(fills: Fills) -> int:
    return add_fill(fills, 7) + add_fill(fills, -2)


def test_a_kernel_writes_to_the_callers_columns():
    fills = make_fills(3)
    assert add_fill(fills, 0) == 0
    assert add_fill(fills, 5) == 3
    assert add_two_fills(fills) == 6
    assert fills.lots.tolist() == [5, 7, -2]


def test_a_kernel_leaves_the_count_of_holders_alone():
    fills = make_fills(1000)
    before = [sys.getrefcount(column) for column in fills]
    for _ in range(100):
        add_two_fills(fills)
    assert fills.n[0] == 200
    assert [sys.getrefcount(column) for column in fills] == before


def test_a_kernel_is_compiled_once_for_all_numbers_that_kernels_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In a copy of this file, which no earlier process can have compiled."""
    name = f"kernels_{secrets.token_hex(8)}"
    shutil.copy(__file__, tmp_path / f"{name}.py")
    monkeypatch.syspath_prepend(tmp_path)
    kernels = import_module(name)
    kernels.add_two_fills(make_fills(3))
    assert len(kernels.add_fill.signatures) == 1


def test_a_strided_view_can_be_passed():
    @kernel
    def total(column: np.ndarray) -> int:
        return column.sum()

    assert total(np.arange(10)[::3]) == 0 + 3 + 6 + 9


def test_errors_come_through():
    @kernel
    def refuse(lots: int) -> int:
        if lots < 0:
            raise ValueError("no lots")
        return lots

    assert refuse(1) == 1
    with pytest.raises(ValueError, match="no lots"):
        refuse(-1)


def test_a_kernel_that_makes_an_array_is_refused():
    @kernel
    def make(size: int) -> int:
        return np.zeros(size).size

    with pytest.raises(NumbaError):
        make(3)


def test_a_block_can_be_interpreted():
    fresh = kernel(add_fill.py_func)
    fills = make_fills(3)
    with interpreted():
        assert fresh(fills, 5) == 3
    assert not fresh.is_compiled
    assert fresh(fills, 6) == 3
    assert fresh.is_compiled
    assert fills.lots.tolist() == [5, 6, 0]
