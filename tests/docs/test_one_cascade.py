"""The page on one cascade runs top to bottom, and prints what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stresslab.api import open_run
from stresslab.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "one-cascade.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


def test_every_block_runs_and_prints_what_stands_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed, n_compared = "", 0

    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "text":
            assert printed.replace(cell_of(tmp_path), "CELL") == text
            n_compared += 1
        elif language == "python":
            exec(compile(text, PAGE.name, "exec"), names)
        else:
            assert main(shlex.split(text.replace("CELL", cell_of(tmp_path)))[1:]) == 0
        printed = capsys.readouterr().out

    assert n_compared == 5


def cell_of(folder: Path) -> str:
    path = folder / "runs" / "one_cascade"
    return open_run(path).cells[0] if path.exists() else ""


def test_the_figure_is_there() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE.read_text(encoding="utf-8"))
    assert [(PAGE.parent / name).stat().st_size > 10_000 for name in pictures] == [True]
