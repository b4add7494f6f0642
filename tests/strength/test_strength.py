"""The tools that measure the tests do what they say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.strength.mutants import mutants, mutated
from tests.strength.mutation import sample
from tests.strength.reach import Reach
from tests.strength.selection import ROOMS, ROOT, TESTS, TOO_LONG, sources, sources_of

SOURCE = '''
RATE: float = param("Rate", default=0.5, le=1)

def fee(cash: int, rates) -> int:
    """Return 3."""
    if cash < 0 and not rates:
        raise ValueError(f"{cash + 1} is below 0")
    rates[0] += cash
    return min(cash, FLOOR)
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "fee.py"
    file.write_text(SOURCE)
    return file


def test_a_mutant_is_the_source_with_one_thing_wrong(source: Path) -> None:
    lines = ast.unparse(ast.parse(SOURCE)).splitlines()
    changed = []
    for mutant in mutants(source):
        pairs = zip(lines, ast.unparse(mutated(mutant)).splitlines(), strict=True)
        ((before, after),) = [pair for pair in pairs if pair[0] != pair[1]]
        assert before in lines[2:]
        changed.append(after.strip())
    assert changed == [
        "if cash < 0 or not rates:", "if cash <= 0 and (not rates):",
        "if cash < 1 and (not rates):", "if cash < 0 and rates:",
        "rates[0] -= cash", "pass", "rates[1] += cash",
        "return 0 * min(cash, FLOOR)", "return max(cash, FLOOR)", "return min(cash, 1)",
    ]  # fmt: skip


def test_a_sample_is_the_same_each_time_and_another_for_another_salt(source: Path) -> None:
    found = mutants(source)
    assert len(sample(found, 0.35, "")) == 4
    assert sample(found, 0.35, "") == sample(found, 0.35, "")
    assert {tuple(sample(found, 0.35, str(salt))) for salt in range(9)} != {
        tuple(sample(found, 0.35, ""))
    }
    assert sample(found, 1.0, "any") == found


def test_a_mutant_is_tried_on_the_tests_of_its_lines_the_quickest_first() -> None:
    names = ["other", "quick", "slow"]
    by_line = {"3": [1, 2], "9": [0]}
    reach = Reach({"m/a.py": by_line}, names, {"slow": 20.0, "quick": 15.0})
    assert reach.of(Path("m/a.py"), range(3, 4)) == ["quick"], "35 s are too many"
    assert reach.of(Path("m/a.py"), range(3, 10)) == ["other", "quick"]
    assert reach.of(Path("m/a.py"), range(1, 2)) == ["other", "quick"], "it runs on import"
    assert reach.of(Path("m/b.py"), range(1, 2)) == ["other", "quick"], "and so does all of b"
    assert Reach({}, [], {}).of(Path("m/b.py"), range(1, 2)) == []


def test_what_is_measured_exists() -> None:
    assert all(sources_of(room) for room in ROOMS) and len(sources()) > 100
    assert all((ROOT / test.partition("::")[0]).exists() for test in (*TESTS, *TOO_LONG))
    for test in TOO_LONG:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
