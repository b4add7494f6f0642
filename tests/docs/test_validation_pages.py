"""Every validation experiment has a page, a figure, a control and a place in the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stresslab.validation.experiments import EXPERIMENTS, experiment
from stresslab.validation.levels import MOST_FALSE_ALARMS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "explanation" / "validation"
PARTS = ("**Claim.**", "**Source.**", "**Set-up.**", "**Negative control.**",
         "**What would falsify it.**")  # fmt: skip


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_has_a_page_with_its_figure(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text()
    assert f"stresslab validate {name}" in text
    assert [part for part in PARTS if part not in text] == []
    figure = f"validation-{name}.png"
    assert f"figures/{figure})" in text
    assert (DOCS / "figures" / figure).stat().st_size > 5000


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_has_a_control_of_its_own(name: str) -> None:
    found = experiment(name)
    assert found.name == name
    if found.is_judged:
        assert found.control is not found.run
        assert len(found.control_is) > 10
    assert found.falsified_by
    assert "ours" in found.source.lower()  # which numbers are published, and which are not


def test_whatever_the_table_tells_of_has_passed() -> None:
    text = (PAGES / "README.md").read_text()
    rows = re.findall(r"^\| \[(\S+)\]\(\S+\.md\) .*\| (\w+) \|$", text, re.MULTILINE)
    told = [name for name, _ in rows]
    assert len(told) > 10
    assert told == [name for name in EXPERIMENTS if name in told]
    assert {verdict for _, verdict in rows} <= {"pass", "report"}
    level = re.search(r"add up to ([\d.e-]+):", text)
    assert level is not None
    assert 0 < float(level[1]) <= MOST_FALSE_ALARMS
