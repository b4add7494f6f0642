"""Garbage is not looked for in a block, and again after it, however it ends."""

from __future__ import annotations

import gc

import pytest

from stresslab.core.collecting import uncollected


def test_a_block_looks_for_no_garbage() -> None:
    assert gc.isenabled()
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_block_that_fails_ends_it_too() -> None:
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()
