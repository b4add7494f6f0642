"""A first run says what it does before its first cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stresslab.core.compile_turns import rehearse
from stresslab.experiment.progress import Silent
from stresslab.experiment.runner import Options, _Running


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_only_a_run_that_compiles_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    nothing: Any = None

    def told(**options: Any) -> list[str]:
        shown = Notes()
        running = _Running(nothing, nothing, nothing, Options(progress=shown, **options))
        running._tell_of_compiling()
        return shown.notes

    assert len(told()) == 1
    assert "compiling first" in told()[0]
    assert told(simulation="tests.toy_simulation:simulate") == []
    rehearse(lambda: None, str(tmp_path))
    assert told() == []
