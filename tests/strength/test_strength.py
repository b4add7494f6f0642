"""The tools that measure the tests do what they say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.strength import reach as reaching
from tests.strength.mutants import mutants, mutated
from tests.strength.mutation import sample
from tests.strength.reach import Reach
from tests.strength.selection import ROOMS, ROOT, TESTS, TOO_LONG, sources, sources_of
from tests.strength.trials import in_a_child, name_of, replaced

SOURCE = '''
RATE: float = param("Rate", default=0.5, le=1)

def fee(cash: int, rates) -> int:
    """Return 3."""
    if cash < 0 and not rates:
        raise ValueError(f"{cash + 1} is below 0")
    rates[0] += cash
    return min(zip(cash, rates, strict=True), FLOOR)
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
        "return 0 * min(zip(cash, rates, strict=True), FLOOR)",
        "return max(zip(cash, rates, strict=True), FLOOR)",
        "return min(zip(cash, rates, strict=True), 1)",
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
    reach = Reach({"m/a.py": by_line}, names, {"slow": 10.0, "quick": 7.5})
    assert reach.of(Path("m/a.py"), range(3, 4)) == ["quick"], "17.5 s are too many"
    assert reach._replace(most=5.0).of(Path("m/a.py"), range(3, 4)) == ["quick"], "one in any case"
    assert reach._replace(most=20.0).of(Path("m/a.py"), range(3, 4)) == ["quick", "slow"]
    assert reach.of(Path("m/a.py"), range(3, 10)) == ["other", "quick"]
    assert reach.of(Path("m/a.py"), range(1, 2)) == ["other", "quick"], "it runs on import"
    assert reach.of(Path("m/b.py"), range(1, 2)) == ["other", "quick"], "and so does all of b"
    assert Reach({}, [], {}).of(Path("m/b.py"), range(1, 2)) == []


def test_whoever_runs_another_line_of_the_file_as_well_is_among_the_tests_of_a_line() -> None:
    """Anybody makes a clock, line 3; the slow one alone reads it, line 5, if there is time."""
    names = ["first", "second", "slow"]
    seconds = {"first": 1.0, "second": 2.0, "slow": 3.0}
    reach = Reach({"clock.py": {"3": [0, 1, 2], "5": [2]}}, names, seconds)
    assert reach.of(Path("clock.py"), range(3, 4)) == names
    assert reach._replace(most=5.0).of(Path("clock.py"), range(3, 4)) == ["first", "slow"]
    assert reach._replace(most=3.5).of(Path("clock.py"), range(3, 4)) == ["first"]


def test_the_tests_in_a_file_called_after_it_come_before_others() -> None:
    names = ["tests/test_all.py::quick", "tests/unit/test_clock.py::slow"]
    reach = Reach({"clock.py": {"3": [0, 1]}}, names, dict(zip(names, (1.0, 2.0), strict=True)))
    assert reach._replace(most=2.5).of(Path("clock.py"), range(3, 4)) == names[1:]


def test_what_changed_is_measured_again_and_what_others_reach_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"t/test_a.py": "1", "t/test_b.py": "1", reaching.ALL_ELSE: "1"}
    found = {
        "t/test_a.py": Reach({"m.py": {"3": [0], "4": [0]}}, ["t/test_a.py::a"], {"a": 1.0}),
        "t/test_b.py": Reach({"m.py": {"3": [0], "5": []}}, ["t/test_b.py::b"], {"b": 2.0}),
    }
    asked = []

    def covered(tests: list[str]) -> tuple[int, object, object]:
        asked.append(list(tests))
        reaches = [found[test] for test in tests]
        whole = reaches[0]
        for more in reaches[1:]:
            whole = reaching._merged(whole, more)
        return 0, whole, None

    monkeypatch.setattr(reaching, "KEPT", tmp_path / "build" / "reach.json")
    monkeypatch.setattr(reaching, "TESTS", ("t/test_a.py", "t/test_b.py"))
    monkeypatch.setattr(reaching, "_digests", lambda: dict(now))
    monkeypatch.setattr(reaching, "_covered", covered)
    monkeypatch.setattr(reaching, "_reach", lambda whole, watch: whole)

    def tests_of(line: int) -> list[str]:
        known = reaching.kept()
        assert known is not None
        return [known.names[n] for n in known.tests["m.py"].get(str(line), [])]

    assert reaching.kept() is None
    assert reaching.measure() == 0
    assert tests_of(3) == ["t/test_a.py::a", "t/test_b.py::b"]
    now["t/test_a.py"] = "2"
    assert reaching.kept() is None, "a test has changed"
    found["t/test_a.py"] = Reach({"m.py": {"5": [0]}}, ["t/test_a.py::new"], {"new": 1.0})
    reaching.measure()
    assert (tests_of(3), tests_of(4), tests_of(5)) == (
        ["t/test_b.py::b"], [], ["t/test_a.py::new"],
    )  # fmt: skip
    now[reaching.ALL_ELSE] = "2"
    reaching.measure()
    assert asked == [
        ["t/test_a.py", "t/test_b.py"],
        ["t/test_a.py"],
        ["t/test_a.py", "t/test_b.py"],
    ]


STANDING = """
LEAST = 2

def fee(cash, rate=1):
    def more(extra):
        return cash + extra
    return more(rate)
"""


def test_a_function_that_stands_gets_the_code_of_a_mutant(tmp_path: Path) -> None:
    file = tmp_path / "fee.py"
    file.write_text(STANDING)
    module: dict = {}
    exec(compile(STANDING, str(file), "exec"), module)
    live = {("fee", 4): [module["fee"]]}
    assert module["fee"](7) == 8
    found = {}
    for mutant in mutants(file):
        codes = replaced(file, mutated(mutant), live)
        assert codes != [], "something has changed"
        if codes is not None:
            ((function, code),) = codes
            assert function is module["fee"]
            before, function.__code__ = function.__code__, code
            found[mutant.change] = function(7)
            function.__code__ = before
    assert found == {
        "cash + extra: operator": 6, "return cash + extra: zero times": 0,
        "return more(rate): zero times": 0,
    }, "a value of a module or a default takes another load"  # fmt: skip
    whole = ast.parse(STANDING)
    assert replaced(file, whole, live) == []
    assert replaced(file, mutated(mutants(file)[-1]), {}) is None, "nobody has the function"


def test_a_process_of_its_own_says_how_it_ended() -> None:
    assert [in_a_child(lambda code=code: code) for code in (0, 1)] == [0, 1]
    with pytest.raises(RuntimeError, match="failed by itself"):
        in_a_child(lambda: 1 // 0)
    assert name_of(Path("stresslab/margin/__init__.py")) == "stresslab.margin"


def test_what_is_measured_exists() -> None:
    assert all(sources_of(room) for room in ROOMS) and len(sources()) > 100
    assert all((ROOT / test.partition("::")[0]).exists() for test in (*TESTS, *TOO_LONG))
    for test in TOO_LONG:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
