"""Processes share the compiling: a kernel that another one compiles is interpreted or awaited."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.core.compile_turns import rehearse
from stresslab.core.compiled import kernel
from stresslab.core.random import Streams, uniform


@kernel
def draw(key: np.ndarray) -> float:
    return uniform(key, 5, 6, 7)


@pytest.fixture
def taken() -> Iterator[Any]:
    """A kernel that another process is compiling."""
    drawn = kernel(draw.py_func)
    folder = Path(drawn.stats.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{__name__}.draw.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield drawn, lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def test_a_rehearsal_interprets_what_another_compiles(taken: Any, tmp_path: Path) -> None:
    drawn, release = taken
    key, seen = Streams(1, 0)["turn"], []
    rehearse(lambda: seen.append(drawn(key)), str(tmp_path))
    assert len(seen) == 1
    assert not drawn.is_compiled
    release()
    assert drawn(key) == seen[0]
    assert drawn.is_compiled


def test_in_earnest_a_kernel_waits_for_the_other(taken: Any) -> None:
    drawn, release = taken
    threading.Timer(0.3, release).start()
    assert drawn(Streams(1, 0)["turn"]) == draw(Streams(1, 0)["turn"])
    assert drawn.is_compiled


def test_there_is_one_rehearsal_for_a_state_of_the_sources(tmp_path: Path) -> None:
    runs: list[int] = []
    for _ in range(3):
        rehearse(lambda: runs.append(1), str(tmp_path))
    assert len(runs) == 1
    rehearse(lambda: runs.append(1), None)
    assert len(runs) == 1


def test_a_fault_is_left_to_the_real_run(tmp_path: Path) -> None:
    begun: list[int] = []

    def fail() -> None:
        begun.append(1)
        raise ValueError("told when it is run in earnest")

    rehearse(fail, str(tmp_path))
    assert begun
