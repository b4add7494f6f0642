"""What the README and the how-to pages show works as printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import stresslab
from stresslab.cli import commands, main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
HOW_TO = ROOT / "docs" / "how-to" / "run-a-study.md"
MEASURE = ROOT / "docs" / "how-to" / "measure-the-tests.md"
SMALL = ROOT / "tests" / "data" / "two_assets.yaml"


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def _commands(page: Path, program: str) -> list[list[str]]:
    lines = "\n".join(_blocks(page, "bash")).splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and line[0] == program]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "my_study"
    return stresslab.run(SMALL, out=folder, small=True).path


def test_readme_opens_with_what_a_user_and_a_developer_run_first() -> None:
    first = _blocks(README, "bash")[0]

    assert [line.split("#")[0].strip() for line in first.splitlines()] == [
        "make demo",
        "make test",
        "make study",
    ]
    assert README.read_text().index(first) < 40


def test_every_make_target_that_is_shown_exists() -> None:
    shown = {words[0] for page in (README, HOW_TO, MEASURE) for words in _commands(page, "make")}
    shown |= set(re.findall(r"`make (\w+)`", README.read_text()))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    assert {"demo", "study", "test", "environment", "coverage", "mutation"} <= shown
    assert shown <= targets


@pytest.mark.parametrize("page", [README, HOW_TO], ids=lambda page: page.name)
def test_every_command_that_is_shown_is_understood(page: Path) -> None:
    shown = _commands(page, "stresslab")

    assert len(shown) >= 2
    for name, *arguments in shown:
        commands.commands[name].make_context(name, arguments)


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README.read_text())

    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_config_of_the_how_to_page_is_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (text,) = _blocks(HOW_TO, "yaml")
    (tmp_path / "my_study.yaml").write_text(text)

    assert main(["check", str(tmp_path / "my_study.yaml")]) == 0

    assert "runs as my_study" in capsys.readouterr().out


@pytest.mark.parametrize("page", [README, HOW_TO], ids=lambda page: page.name)
def test_python_that_is_shown_runs(
    page: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = _blocks(page, "python")
    monkeypatch.setattr(
        stresslab, "run", lambda config: stresslab.open_run(finished), raising=False
    )
    code = code.replace("runs/my_study", str(finished))
    names: dict[str, object] = {}

    exec(compile(code, page.name, "exec"), names)

    run = names["run"]
    assert isinstance(run, stresslab.Run)
    assert run.outcomes.height > 0


def test_every_line_of_the_readme_gives_something(finished: Path) -> None:
    run = stresslab.open_run(finished)
    cell = run.with_events()[0]

    assert run.events(cell)["liquidations"].height > 0
    assert run.graph(cell).number_of_edges() > 0
    assert run.figure("response").axes
    assert run.headline()["shock"].height > 0
    assert run.design.height == len(run.cells)
