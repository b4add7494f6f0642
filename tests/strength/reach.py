"""Which tests run which line, and the processor's time of each: what a mutant must be tried on."""

from __future__ import annotations

import collections
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.strength.selection import OPTIONS, ROOT, TESTS, sources

#: Where the answer is kept until a source or a test changes.
KEPT = ROOT / "build" / "reach.json"
#: Tests of a mutant take no longer than this in all, in seconds; the quickest come first.
MOST_SECONDS = 15.0


class Reach(NamedTuple):
    """Numbers of tests by file and line, and what they are called, and seconds by name."""

    tests: dict[str, dict[str, list[int]]]
    names: list[str]
    seconds: dict[str, float]

    def of(self, path: Path, lines: range) -> list[str]:
        """Return the tests that run one of the lines, the quickest first.

        Lines that run on import belong to no test: the tests of the whole file are returned, or of
        its folder if the file has no other lines.
        """
        by_line = self.tests.get(str(path), {})
        found = {test for line in lines for test in by_line.get(str(line), [])}
        return self._quickest(found or self._under(str(path)) or self._under(str(path.parent)))

    def _under(self, place: str) -> set[int]:
        files = [by_line for file, by_line in self.tests.items() if file.startswith(place)]
        return {test for by_line in files for tests in by_line.values() for test in tests}

    def _quickest(self, found: set[int]) -> list[str]:
        chosen, left = [], MOST_SECONDS
        names = [self.names[test] for test in found]
        for test in sorted(names, key=lambda name: (self.seconds.get(name, 0.0), name)):
            left -= self.seconds.get(test, 0.0)
            if chosen and left < 0:
                break
            chosen.append(test)
        return chosen


def kept() -> Reach | None:
    """Return what was measured before, if nothing has changed since."""
    if not KEPT.exists():
        return None
    content = json.loads(KEPT.read_text())
    if content.pop("digest") != _digest():
        return None
    return Reach(**content)


def measure() -> int:
    """Run all tests once and keep which lines each runs; return pytest's exit code."""
    return measured()[0]


def measured() -> tuple[int, Any]:
    """Do the same and return, besides, what was covered."""
    import coverage
    import pytest

    cover = coverage.Coverage(
        data_file=None, branch=True, include=[str(file) for file in sources()]
    )
    cover.exclude(r"if TYPE_CHECKING:")
    watch = _Watch(cover)
    with cover.collect():
        code = pytest.main([*OPTIONS, *TESTS], plugins=[watch])
    data = cover.get_data()
    names = sorted(filter(None, data.measured_contexts()))
    number = {name: place for place, name in enumerate(names)}
    tests = {
        str(Path(file).relative_to(ROOT)): {
            str(line): sorted(number[name] for name in contexts if name)
            for line, contexts in data.contexts_by_lineno(file).items()
        }
        for file in sorted(data.measured_files())
    }
    KEPT.parent.mkdir(exist_ok=True)
    content = {"digest": _digest(), "tests": tests, "names": names, "seconds": watch.seconds}
    KEPT.write_text(json.dumps(content))
    return int(code), cover


class _Watch:
    """A plug-in of pytest that names the test, or the file whose fixture is made, to coverage."""

    def __init__(self, cover: Any) -> None:
        self._cover, self._began = cover, 0.0
        self.seconds: dict[str, float] = collections.defaultdict(float)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._cover.switch_context(nodeid)
        self._began = time.process_time()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        used = time.process_time() - self._began
        self.seconds[nodeid] += used
        self.seconds[nodeid.partition("::")[0]] += used

    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> None:
        """Fixtures that tests share are run again by all tests of their file."""
        if fixturedef.scope != "function":
            self._cover.switch_context(request.node.nodeid.partition("::")[0])

    def pytest_runtest_call(self, item: Any) -> None:
        self._cover.switch_context(item.nodeid)


def _digest() -> str:
    digest = hashlib.sha256()
    for file in _files():
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for folder in ("stresslab", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.parent != Path(__file__).parent:
                yield file
