"""The pages on adding a part show what was really added, and their snippets are sound."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stresslab.cli import commands
from stresslab.experiment.config import read_config
from stresslab.experiment.documents import parse, read_document

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
CONFIG = ROOT / "tests" / "data" / "two_assets.yaml"

#: Page -> the file that was added and the table that names it.
ADDED = {
    "add-a-strategy.md": (
        "stresslab/traders/strategies/arbitrageur.py",
        "stresslab/traders/strategies/__init__.py",
    ),
    "add-an-impact-law.md": (
        "stresslab/market/impact/logarithmic.py",
        "stresslab/market/impact/__init__.py",
    ),
    "add-a-closure.md": (
        "stresslab/liquidation/closures/common_share.py",
        "stresslab/liquidation/closures/__init__.py",
    ),
    "add-a-figure.md": (
        "stresslab/report/figures/depth.py",
        "stresslab/report/figures/__init__.py",
    ),
}
every_page = pytest.mark.parametrize("page", ADDED)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (HOW_TO / page).read_text(), re.M | re.S)


@every_page
def test_code_that_is_shown_stands_in_the_file_or_the_table(page: str) -> None:
    part, table = ((ROOT / path).read_text() for path in ADDED[page])
    *shown, line = blocks(page, "python")

    assert shown
    assert [text for text in shown if text not in part] == []
    assert line in table and line.count("\n") == 1


@every_page
def test_the_number_of_lines_is_the_file_s(page: str) -> None:
    part = (ROOT / ADDED[page][0]).read_text()

    (found,) = re.findall(r"(\d+)\slines", (HOW_TO / page).read_text())

    assert int(found) == len(part.splitlines())


@every_page
def test_commands_that_are_shown_exist(page: str) -> None:
    lines = [shlex.split(line) for block in blocks(page, "bash") for line in block.splitlines()]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)

    assert lines
    for program, *arguments in lines:
        if program == "stresslab":
            commands.commands[arguments[0]].make_context(arguments[0], arguments[1:])
        elif program == "make":
            assert arguments[0] in targets
        else:
            assert all((ROOT / path).exists() for path in arguments if path.startswith("tests"))


@pytest.mark.parametrize("page", ["add-a-strategy.md", "add-an-impact-law.md", "add-a-closure.md"])
def test_the_config_that_is_shown_is_sound(page: str) -> None:
    study = read_document(str(CONFIG)).value
    (shown,) = (parse(text, page).value for text in blocks(page, "yaml"))
    for name, content in shown.items():
        study["scenario"][name] = {**study["scenario"][name], **content}

    config = read_config(study)

    assert f"'kind': '{Path(ADDED[page][0]).stem}'" in str(config.values["scenario"])
