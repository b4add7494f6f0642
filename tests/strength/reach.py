"""Which tests run which line, and the processor's time of each: what a mutant must be tried on."""

from __future__ import annotations

import collections
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.strength.selection import OPTIONS, ROOT, TESTS, sources

#: Where the answer is kept until a source or a test changes.
KEPT = ROOT / "build" / "reach.json"
ALL_ELSE = ""
#: Tests of a mutant take no longer than this in all, in seconds.
MOST_SECONDS = 15.0


class Reach(NamedTuple):
    """Numbers of tests by file and line, and what they are called, and seconds by name."""

    tests: dict[str, dict[str, list[int]]]
    names: list[str]
    seconds: dict[str, float]
    most: float = MOST_SECONDS

    def of(self, path: Path, lines: range) -> list[str]:
        """Return tests that run one of the lines, the quickest first.

        Lines that run on import belong to no test: the tests of the whole file are returned, or of
        its folder if the file has no other lines. If they take too long, those are kept that stand
        in a file called after this one; then those that are the quickest to run another line of it
        as well, which is where what a constructor or a shared helper does is seen; then the
        quickest.
        """
        by_line = self.tests.get(str(path), {})
        found = {test for line in lines for test in by_line.get(str(line), [])}
        found = found or self._under(str(path)) or self._under(str(path.parent))
        quick = sorted(found, key=self._speed)
        own = [test for test in quick if f"/test_{path.stem}" in self.names[test]]
        chosen = self._in_time([*own, *self._seers(by_line, found), *quick])
        return [self.names[test] for test in sorted(chosen, key=self._speed)]

    def _seers(self, by_line: dict[str, list[int]], found: set[int]) -> list[int]:
        """Return for each line of a file the quickest of the tests found that runs it."""
        of_line = (found.intersection(tests) for tests in by_line.values())
        seers = {min(tests, key=self._speed) for tests in of_line if tests}
        return sorted(seers, key=self._speed)

    def _under(self, place: str) -> set[int]:
        files = [by_line for file, by_line in self.tests.items() if file.startswith(place)]
        return {test for by_line in files for tests in by_line.values() for test in tests}

    def _speed(self, test: int) -> tuple[float, str]:
        return self.seconds.get(self.names[test], 0.0), self.names[test]

    def _in_time(self, tests: Iterable[int]) -> list[int]:
        """Return tests until they have taken their time; one in any case."""
        chosen, left = [], self.most
        for test in dict.fromkeys(tests):
            left -= self._speed(test)[0]
            if chosen and left < 0:
                break
            chosen.append(test)
        return chosen


def kept() -> Reach | None:
    """Return what was measured before, if nothing has changed since."""
    content = _content()
    if content is None or content["digests"] != _digests():
        return None
    return _reach_in(content)


def measure() -> int:
    """Run the tests whose files have changed, or all, and keep which lines each runs.

    Returns pytest's exit code.
    """
    content, now = _content(), _digests()
    if content is None or content["digests"][ALL_ELSE] != now[ALL_ELSE]:
        return measured()[0]
    changed = {name for name in now if content["digests"].get(name) != now[name]}
    left = _without(content, changed | content["digests"].keys() - now.keys())
    code, cover, watch = _covered(sorted(changed))
    _keep(now, _merged(left, _reach(cover, watch)))
    return code


def measured() -> tuple[int, Any]:
    """Run all tests once and keep which lines each runs; return the exit code and the coverage."""
    code, cover, watch = _covered(TESTS)
    _keep(_digests(), _reach(cover, watch))
    return code, cover


def _covered(tests: Sequence[str]) -> tuple[int, Any, _Watch]:
    import coverage
    import pytest

    cover = coverage.Coverage(
        data_file=None, branch=True, include=[str(file) for file in sources()]
    )
    cover.exclude(r"if TYPE_CHECKING:")
    watch = _Watch(cover)
    with cover.collect():
        code = pytest.main([*OPTIONS, *tests], plugins=[watch])
    return int(code), cover, watch


def _reach(cover: Any, watch: _Watch) -> Reach:
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
    return Reach(tests, names, watch.seconds)


def _without(content: dict[str, Any], files: Iterable[str]) -> Reach:
    """Return what was measured but for the tests in some files."""
    reach, gone = _reach_in(content), set(files)
    is_left = [name.partition("::")[0] not in gone for name in reach.names]
    tests = {
        file: {line: [n for n in found if is_left[n]] for line, found in by_line.items()}
        for file, by_line in reach.tests.items()
    }
    return reach._replace(tests=tests)


def _merged(one: Reach, other: Reach) -> Reach:
    tests = {file: dict(by_line) for file, by_line in one.tests.items()}
    for file, by_line in other.tests.items():
        mine = tests.setdefault(file, {})
        for line, found in by_line.items():
            mine[line] = mine.get(line, []) + [len(one.names) + n for n in found]
    return Reach(tests, [*one.names, *other.names], {**one.seconds, **other.seconds})


def _reach_in(content: dict[str, Any]) -> Reach:
    return Reach(content["tests"], content["names"], content["seconds"])


def _content() -> dict[str, Any] | None:
    return json.loads(KEPT.read_text()) if KEPT.exists() else None


def _keep(digests: dict[str, str], reach: Reach) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps({"digests": digests, **reach._asdict()}))


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


def _digests() -> dict[str, str]:
    """Return a digest of each file of tests, and one of everything else that they depend on."""
    rest, found = hashlib.sha256(), {}
    for file in _files():
        name, content = str(file.relative_to(ROOT)), file.read_bytes()
        if file.name.startswith("test_") and name.startswith(TESTS):
            found[name] = hashlib.sha256(content).hexdigest()
        elif file.name.startswith("test_"):
            continue  # of other rooms
        else:
            rest.update(f"{name}\0".encode() + content)
    return {**found, ALL_ELSE: rest.hexdigest()}


def _files() -> Iterator[Path]:
    for folder in ("stresslab", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.parent != Path(__file__).parent:
                yield file
