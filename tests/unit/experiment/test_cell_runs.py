"""A worker runs cell after cell without growing."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stresslab.experiment.cell_runs import CellRuns
from stresslab.experiment.messages import Setup, Task
from tests.toy_study import SIMULATION, run


class Model:
    """Refers to itself, as a model and its agents refer to each other."""

    def __init__(self) -> None:
        self.agents = [self]


@pytest.fixture
def without_collections() -> Iterator[None]:
    """Let nothing be collected but by the code itself."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("without_collections")
def test_what_a_cell_leaves_behind_is_freed(tmp_path: Path) -> None:
    finished = run(tmp_path, workers=1)
    runs = CellRuns(Setup(str(tmp_path), str(tmp_path), SIMULATION, list(sys.path)))
    toy, models = runs.simulate, []

    def simulate(*given: Any) -> Any:
        models.append(weakref.ref(Model()))
        return toy(*given)

    runs.simulate = simulate
    for cell in finished.cells[:3]:
        assert not runs.run(Task(cell, keeps_events=False)).failed
    assert len(models) == 3
    assert [model() for model in models] == [None] * 3
