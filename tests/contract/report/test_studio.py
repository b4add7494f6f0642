"""Figures are drawn in several processes: the same bytes, and every failure is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from stresslab.core.errors import ConfigError, DamagedResultsError, StorageError
from stresslab.report import render
from stresslab.report.figures import FIGURES
from stresslab.report.studio import DrawingError, Studio
from tests.contract.report.toy_run import stored


def contents(folder: Path) -> dict[str, bytes]:
    parts = ("figures", "tables", "report.html")
    files = [p for part in parts for p in (folder / part, *(folder / part).glob("*"))]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files if p.is_file()}


def test_processes_do_not_matter(tmp_path: Path) -> None:
    run = stored(tmp_path / "run")
    told: dict[int, list[str]] = {1: [], 2: []}
    for workers, lines in told.items():
        render(run, tmp_path / str(workers), lines.append, workers)
    alone, together = (contents(tmp_path / str(workers)) for workers in (1, 2))
    assert sum(name.endswith(".png") for name in alone) >= len(FIGURES)
    assert alone.keys() == together.keys()
    assert [name for name in alone if alone[name] != together[name]] == []
    assert sorted(told[1]) == sorted(told[2])


def test_a_figure_that_nobody_knows_is_named(tmp_path: Path) -> None:
    stored(tmp_path)
    with (
        pytest.raises(ConfigError, match="figure: 'respones' is unknown, allowed are response"),
        Studio(tmp_path, tmp_path, ["respones"], 2) as studio,
    ):
        list(studio.drawn())


def test_damage_is_told(tmp_path: Path) -> None:
    run = stored(tmp_path)
    for cell in run.cells:
        run.folder.long(cell).write_bytes(b"PK")
    with (
        pytest.raises(DamagedResultsError, match="is damaged"),
        Studio(tmp_path, tmp_path, ["ccdf"], 1) as studio,
    ):
        list(studio.drawn())


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    stored(tmp_path / "run")
    (tmp_path / "figures").write_text("in the way")
    with (
        pytest.raises(StorageError, match="cannot be written"),
        Studio(tmp_path / "run", tmp_path, ["waterfall"], 1) as studio,
    ):
        list(studio.drawn())


def test_a_process_that_dies_is_told_and_no_process_is_left(tmp_path: Path) -> None:
    stored(tmp_path)
    with Studio(tmp_path, tmp_path, ["response"], 2) as studio:
        pids = [artist.pid for artist in studio.artists]
        os.kill(pids[0], signal.SIGKILL)
        with pytest.raises(DrawingError, match="cannot be drawn: its process ended"):
            list(studio.drawn())
    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
