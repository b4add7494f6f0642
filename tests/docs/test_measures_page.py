"""The page of measures names functions and tests that exist, and covers every measure per key."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

from stresslab.contagion.keyed import KEYED

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "measures.md"
LINES = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][2:]
ROWS = {cells[0].strip(): [re.findall(r"`([^`]+)`", cell) for cell in cells[1:]]
        for cells in (line.strip("|").split("|") for line in LINES)}  # fmt: skip

#: What is asked for, in the order of the page; a word of each name.
ASKED = ("size", "depth", "duration", "generations", "branching", "maximum", "times", "path",
         "before", "endogenous", "amplification", "contagion matrix", "fragile", "DebtRank",
         "given", "Katz", "core", "communities", "Gini", "Lorenz", "paid", "distance", "bisection",
         "bistability", "warnings", "lead")  # fmt: skip


def test_every_measure_that_is_asked_for_has_a_row() -> None:
    assert len(ROWS) == len(LINES) == len(ASKED)
    for name, word in zip(ROWS, ASKED, strict=True):
        assert word in name
    named = {name for row in ROWS.values() for name in row[0]}
    told = {f"{part.function.__module__}.{part.function.__name__}".removeprefix("stresslab.")
            for part in KEYED.values()}  # fmt: skip
    other = {"contagion.matrix.matrix_columns", "contagion.next_generation.generation_columns"}
    assert told - named == other  # the long tables of two matrices that have rows


@pytest.mark.parametrize("name", ROWS)
def test_what_vouches_for_a_measure_exists(name: str) -> None:
    functions, by_hand, properties, small, interval = ROWS[name]
    assert functions and by_hand and properties and small
    assert interval or name.startswith("losses on given")
    for path in [*functions, *interval]:
        module, _, attribute = f"stresslab.{path}".rpartition(".")
        assert getattr(importlib.import_module(module), attribute) is not None
    for test in [*by_hand, *properties, *small]:
        file, _, function = test.partition("::")
        assert function in drawn(file), test
    assert all(drawn(file)[test] for file, _, test in (p.partition("::") for p in properties))


@cache
def drawn(file: str) -> dict[str, bool]:
    """Return the tests of a file, and whether hypothesis draws their inputs."""
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {
        node.name: any(ast.unparse(mark).startswith("given(") for mark in node.decorator_list)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
