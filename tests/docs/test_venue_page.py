"""What the page on venues shows works as printed."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
import yaml

from stresslab.cli import main
from stresslab.experiment.config import read_config
from stresslab.experiment.documents import parse

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-a-venue.md"
SOUND = str(Path(__file__).parents[1] / "data" / "bad_configs" / "sound.yaml")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def test_its_commands_run_and_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "positions.yaml").write_text(_blocks("yaml")[-1])
    lines = [shlex.split(line, comments=True) for line in "".join(_blocks("bash")).splitlines()]
    assert len(lines) == 4
    said = []
    for _, *arguments in lines:
        assert main(arguments) == 0
        said.append(capsys.readouterr().out)
    assert said[2] == _blocks("text")[0]


def test_its_configs_are_sound(tmp_path: Path) -> None:
    parts = [parse(text, str(PAGE)).value for text in _blocks("yaml")[:-1]]
    assert len(parts) == 3
    for number, part in enumerate(parts):
        config = tmp_path / f"{number}.yaml"
        part["extends"] = SOUND
        config.write_text(yaml.safe_dump(part))
        assert read_config(config).designs


def test_its_python_gives_what_it_prints() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)

    assert found.attempted == 3
    assert found.failed == 0
