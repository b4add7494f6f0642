"""Processes in which a mutant meets its tests, each with a limit of the processor's time.

A child collects all tests once. In a child of its own each mutant then gives its code to the
functions that stand already, and its tests run, so that neither import nor collection is paid for
again. What a function did on import stays as it was; that can only spare a mutant. Mutants of a
module's or class's own lines are loaded in place of the module in a process that has nothing yet.
"""

from __future__ import annotations

import ast
import collections
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import mmap
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.strength.selection import OPTIONS, ROOT, TESTS

#: Exit code of a process that failed by itself, not by a test.
BROKEN = 70
MOST_BYTES = 4 * 1024**3
_SCRATCH = f"--basetemp={ROOT / 'build' / f'strength-{os.getpid()}'}"  # of the first process

Key = tuple[str, int]  # qualified name and first line


def in_a_child(work: Callable[[], int], patience: int = resource.RLIM_INFINITY) -> int:
    """Return the exit code of work done in a process of its own, which may use so many seconds."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (patience, patience))
            os._exit(work())
        except BaseException:
            traceback.print_exc()
            os._exit(BROKEN)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == BROKEN:
        raise RuntimeError("a process failed by itself")
    return code


def name_of(path: Path) -> str:
    """Return the name of the module in a file."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


# -- functions that stand already ------------------------------------------------------------------


class Stage:
    """A plug-in of pytest that has all tests collected and does something else than run them all.

    The work is given the stage. Tests that noticed something are tried first from then on, where
    they are among those to be tried: who notices one mutant of a file notices others.
    """

    def __init__(self, work: Callable[[Stage], None]) -> None:
        self._work = work
        self._failed = mmap.mmap(-1, 4096)  # the test that ended a child
        self._noticed: list[str] = []
        self._live: dict[Path, dict[Key, list[FunctionType]]] = {}

    def open(self) -> None:
        """Collect the tests, then do the work."""
        import pytest

        code = pytest.main([*OPTIONS, "-s", _SCRATCH, *TESTS], plugins=[_Quick(), self])
        if code != 0:
            raise RuntimeError(f"the tests could not be collected: exit code {code!r}")

    def pytest_runtestloop(self, session: Any) -> bool:
        if session.testsfailed:
            raise RuntimeError("the tests could not be collected")
        self._items = {item.nodeid: item for item in session.items}
        self._of_file: dict[str, list[str]] = collections.defaultdict(list)
        for name in self._items:
            self._of_file[name.partition("::")[0]].append(name)
        self._work(self)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        """End the process of a mutant at the first failure."""
        if report.failed:
            self._failed.seek(0)
            self._failed.write(report.nodeid.encode() + b"\0")
            os._exit(1)

    def note(self) -> None:
        """Remember the test that ended the last child, the latest first."""
        self._failed.seek(0)
        name = self._failed.read().partition(b"\0")[0].decode()
        if name in self._noticed:
            self._noticed.remove(name)
        self._noticed.insert(0, name)

    def codes(self, path: Path, tree: ast.Module) -> list[tuple[FunctionType, CodeType]] | None:
        """Return functions with the code that a tree gives them; None if it changes more."""
        if path not in self._live:
            self._live[path] = _live_functions(path)
        return replaced(path, tree, self._live[path])

    def run(self, codes: list[tuple[FunctionType, CodeType]], names: Iterable[str]) -> int:
        """Give the functions their codes and run the tests, and all tests of files so named."""
        _silence()
        for function, code in codes:
            function.__code__ = code
        chosen = {test: None for name in names for test in self._of_file.get(name, [name])}
        first = [test for test in self._noticed if test in chosen]
        items = [self._items[test] for test in dict.fromkeys([*first, *chosen])]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return 0


def replaced(
    path: Path, tree: ast.Module, live: dict[Key, list[FunctionType]]
) -> list[tuple[FunctionType, CodeType]] | None:
    """Return live functions of a file with their codes in a tree, where these differ.

    None if the lines of a module or of a class differ, or those of a function that nobody has.
    """
    file = str(ROOT / path)
    old = _by_key(compile(ast.parse((ROOT / path).read_text()), file, "exec"))
    new = _by_key(compile(tree, file, "exec"))
    if old is None or new is None:
        return None
    found = []
    for key, code in new.items():
        if key in old and code == old[key]:
            continue
        if not code.co_flags & inspect.CO_OPTIMIZED:
            if key not in old or _without_parts(code) != _without_parts(old[key]):
                return None
            continue
        functions = live.get(key, [])
        is_part = "<locals>" in key[0]  # of a function, which has its code among its constants
        if not functions and not is_part:
            return None
        found += [(function, code) for function in functions]
    if any(len(f.__code__.co_freevars) != len(code.co_freevars) for f, code in found):
        return None
    return found


def _by_key(code: CodeType) -> dict[Key, CodeType] | None:
    """Return a code and all codes in it; None if two have the same name and line."""
    found = {(code.co_qualname, code.co_firstlineno): code}
    for part in code.co_consts:
        if not isinstance(part, CodeType):
            continue
        parts = _by_key(part)
        if parts is None or found.keys() & parts.keys():
            return None
        found |= parts
    return found


def _without_parts(code: CodeType) -> CodeType:
    own = tuple(None if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=own)


def _live_functions(path: Path) -> dict[Key, list[FunctionType]]:
    assert importlib.import_module(name_of(path)).__dict__, "a module that waits is loaded now"
    found: dict[Key, list[FunctionType]] = collections.defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename == str(ROOT / path):
            code = thing.__code__
            found[code.co_qualname, code.co_firstlineno].append(thing)
    return found


# -- in place of a module --------------------------------------------------------------------------


def run_loaded(path: Path, tree: ast.Module, tests: list[str]) -> int:
    """Run tests where a tree is loaded for a file; nothing of stresslab may have been imported."""
    import pytest

    _silence()
    return int(
        pytest.main(
            [*OPTIONS, _SCRATCH, "-x", "--tb=no", *tests], plugins=[_Quick(), _Stand(path, tree)]
        )
    )


class _Stand(importlib.abc.MetaPathFinder):
    """Finds the mutated module; all others are found as ever.

    It must come before pytest's own finder, which reads files that it is told to test.
    """

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path, self._name, self._tree = str(ROOT / path), name_of(path), tree

    def pytest_configure(self) -> None:
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self._name:
            return None
        loader = _Loader(self._name, self._path, self._tree)
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> Any:
        return compile(self._tree, self.path, "exec")


class _Quick:
    """A plug-in of pytest for whoever wants to know no more than that some example fails."""

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        quick = settings(phases=(Phase.explicit, Phase.generate))
        settings.register_profile("quick", parent=quick)
        settings.load_profile("quick")


def _silence() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
