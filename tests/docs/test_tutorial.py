"""The tutorial runs top to bottom, and prints what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stresslab.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "first-study.md"
BLOCK = re.compile(r"^```(\w+)( skip)?\n(.*?)^```", re.M | re.S)


def test_every_block_runs_and_prints_what_stands_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed, n_compared = "", 0

    for language, skip, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if skip:
            continue
        if language == "text":
            assert printed == text
            n_compared += 1
            continue
        if language == "python":
            exec(compile(text, PAGE.name, "exec"), names)
        else:
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "stresslab"
                assert main(arguments) == 0
        printed = capsys.readouterr().out

    assert n_compared == 6
    assert (tmp_path / "runs" / "four_accounts" / "report.html").stat().st_size > 50_000
    assert (tmp_path / "cascade.png").stat().st_size > 5_000


def test_figures_that_are_named_are_on_the_page() -> None:
    from stresslab.report.figures import FIGURES

    named = re.findall(r"\*([A-Z][^*\n]+)\*", PAGE.read_text(encoding="utf-8").split("## Draw")[1])

    assert len(named) == 3
    assert set(named) <= {chart.title for chart in FIGURES.values()}
