"""The model page is the list of calls in the step, and every decision is in the index."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

from stresslab.model.stress import StressModel

EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"
PAGE = (EXPLANATION / "model.md").read_text(encoding="utf-8")
DECISIONS = EXPLANATION / "decisions"


def calls_of_a_step() -> list[str]:
    """Return what ``StressModel.step`` calls, in order, without ``self``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(StressModel.step)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found.sort(key=lambda node: node.lineno)
    return [ast.unparse(node.func).removeprefix("self.") for node in found]


def links_of(path: Path) -> list[Path]:
    found = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    return [(path.parent / link).resolve() for link in found]


def test_the_numbered_list_is_the_step() -> None:
    listed = re.findall(r"^(\d+)\. `([\w.]+)`: ", PAGE, re.M)
    calls = calls_of_a_step()

    assert len(calls) > 5
    assert [name for _, name in listed] == calls
    assert [int(number) for number, _ in listed] == list(range(1, len(calls) + 1))


def test_every_call_has_a_section_in_order() -> None:
    assert re.findall(r"^## `([\w.]+)`$", PAGE, re.M) == calls_of_a_step()


def test_every_section_with_a_rule_says_what_happens_on_ties() -> None:
    for section in PAGE.split("\n## ")[1:]:
        if section.startswith("`") and not section.startswith("`record"):
            assert "*Reads*" in section and "*Writes*" in section and "*Ties*" in section, section


def test_every_decision_page_stands_in_the_index() -> None:
    pages = {path for path in DECISIONS.glob("*.md") if path.name != "README.md"}

    assert len(pages) > 15
    assert pages <= set(links_of(DECISIONS / "README.md"))


def test_links_between_pages_lead_somewhere() -> None:
    root = EXPLANATION.parent
    pages = [path for path in root.rglob("*.md") if "reference" not in path.parts[-2:-1]]
    broken = [
        (page.name, str(link)) for page in pages for link in links_of(page) if not link.exists()
    ]

    assert sum(len(links_of(page)) for page in pages) > 40
    assert broken == []


def test_the_glossary_names_every_cause() -> None:
    from stresslab.core.events import CAUSES

    text = (EXPLANATION.parent / "reference" / "glossary.md").read_text(encoding="utf-8")

    assert [name for name in CAUSES if f"`{name}`" not in text] == []
