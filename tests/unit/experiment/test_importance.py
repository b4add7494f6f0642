"""Which replicates of a cell are left out of: the finished ones of its arm and point, in order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from stresslab.experiment.importance import replicates_of

#: Cell, number of arm and point, replicate.
CELLS = [("c", 0, 2), ("a", 0, 0), ("x", 1, 1), ("b", 0, 1), ("d", 0, 3), ("e", 0, 4)]


def run_of(*records: tuple[str, bool]) -> Any:
    """Return a run of which these cells have records; a failed one is not done."""
    known = {name: SimpleNamespace(cell=name, is_done=is_done) for name, is_done in records}
    return SimpleNamespace(
        resolved={"cells": CELLS}, record=known.__getitem__, records=lambda: iter(known.values())
    )


def test_replicates_follow_in_order_and_of_one_point() -> None:
    run = run_of(("c", True), ("a", True), ("x", True), ("b", True))
    assert replicates_of(run, "a", 9) == ["a", "b", "c"]
    assert replicates_of(run, "a", 2) == ["a", "b"]
    assert replicates_of(run, "b", 9) == ["b", "c"]


def test_what_is_unfinished_or_failed_is_passed_over() -> None:
    run = run_of(("a", True), ("b", False), ("d", True), ("e", True))
    assert replicates_of(run, "a", 9) == ["a", "d", "e"]
    assert replicates_of(run, "b", 9) == ["b", "d", "e"], "the one asked for says itself why not"
