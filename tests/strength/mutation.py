"""Break the rulebook in one place after another and count what its tests notice.

``python -m tests.strength.mutation --share 0.1`` tries a tenth of all mutants of every file, the
same ones each time; ``--salt`` chooses others. Each runs in a process of its own, which loads the
mutant in place of the module, and is tried on the tests that run the mutated lines. It is killed
when a test fails or hangs; a file whose tests fail as it is stops the run. Survivors are printed,
then the share killed with its 95 % interval.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import math
import os
import resource
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.strength.mutants import Mutant, mutants, mutated
from tests.strength.reach import Reach, kept, measure
from tests.strength.selection import OPTIONS, ROOMS, ROOT, interpret, sources_of

#: Tests hang that use so many times the processor's time, and so many seconds more.
SLOWER, PATIENCE = 4, 15
MOST_BYTES = 4 * 1024**3
#: Exit code of a process that failed by itself, not by a test.
BROKEN = 70
#: Tests that a file must pass as it is before what its mutants fail counts.
N_CONTROLS = 12
#: Tests that a mutant is tried on first.
N_FIRST = 40


def main() -> int:
    """Try the mutants and return the exit code: 1 if less than 90 % of a room's are killed."""
    options = _options()
    interpret()
    reach = kept()
    if reach is None:
        if _in_a_child(measure) != 0:
            print("the tests fail without a mutant")
            return 2
        reach = kept()
    assert reach is not None
    _warm_up()
    tried = {room: _try_room(room, options, reach) for room in options.room}
    _report(tried)
    return int(any(killed < 0.9 * number for killed, number in tried.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", nargs="*", choices=ROOMS, default=list(ROOMS))
    parser.add_argument("--share", type=float, default=0.1, help="of each file's mutants")
    parser.add_argument("--salt", default="", help="chooses other mutants")
    parser.add_argument("--only", default="", help="files with this in their path")
    return parser.parse_args()


def _warm_up() -> None:
    """Import once what every mutant's process needs, but nothing of stresslab."""
    import mesa
    import numba
    import numpy
    import pydantic
    import pytest
    import yaml

    assert all((mesa, numba, numpy, pydantic, pytest, yaml))


def _try_room(room: str, options: argparse.Namespace, reach: Reach) -> tuple[int, int]:
    """Try a room's sample, print the survivors, and return how many were killed and tried."""
    killed, tried = 0, 0
    for path in sources_of(room):
        if options.only not in str(path):
            continue
        chosen = sample(mutants(path), options.share, options.salt)
        if chosen:
            _control(path, reach)
        for mutant in chosen:
            is_killed = _is_killed(mutant, reach)
            tried += 1
            killed += is_killed
            if not is_killed:
                print(f"survived {path}:{mutant.line}: {mutant.change}", flush=True)
    return killed, tried


def _report(tried: dict[str, tuple[int, int]]) -> None:
    """Print the shares killed; stresslab is not imported before the last mutant was tried."""
    from stresslab.analysis.intervals import wilson

    for room, (killed, number) in tried.items():
        share = wilson(killed, number)
        print(
            f"{room}: {killed} of {number} killed, {share.mid:.1%} "
            f"(95 % interval {share.low:.1%} to {share.high:.1%})"
        )


def sample(found: Sequence[Mutant], share: float, salt: str) -> list[Mutant]:
    """Return a share of a file's mutants, at least one, chosen by what they are."""

    def luck(mutant: Mutant) -> bytes:
        words = f"{salt}/{mutant.path}/{mutant.number}/{mutant.change}"
        return hashlib.sha256(words.encode()).digest()

    drawn = sorted(found, key=luck)[: math.ceil(share * len(found))]
    return sorted(drawn, key=lambda mutant: mutant.number)


def _control(path: Path, reach: Reach) -> None:
    """Raise unless a file passes its quickest tests in the very way its mutants are tried."""
    whole = ast.parse(path.read_text())
    tests = reach.of(path, range(0))[:N_CONTROLS]
    if tests and _in_a_child(lambda: _run(path, whole, tests)) != 0:
        raise RuntimeError(f"{path} fails its tests without a mutant: {tests}")


def _is_killed(mutant: Mutant, reach: Reach) -> bool:
    """Try the quickest tests first: most mutants fall to them, and loading fewer is quicker."""
    tests = reach.of(mutant.path, range(mutant.line, mutant.last_line + 1))
    return any(_fails(mutant, part, reach) for part in (tests[:N_FIRST], tests[N_FIRST:]) if part)


def _fails(mutant: Mutant, tests: list[str], reach: Reach) -> bool:
    patience = PATIENCE + SLOWER * math.ceil(sum(reach.seconds.get(test, 0.0) for test in tests))
    return _in_a_child(lambda: _run(mutant.path, mutated(mutant), tests), patience) != 0


def _in_a_child(work: Callable[[], int], patience: int = resource.RLIM_INFINITY) -> int:
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


def _run(path: Path, tree: ast.Module, tests: list[str]) -> int:
    import pytest

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return int(pytest.main([*OPTIONS, "-x", "--tb=no", *tests], plugins=[_Plugin(path, tree)]))


class _Stand(importlib.abc.MetaPathFinder):
    """Finds the mutated module; all others are found as ever."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path = str(ROOT / path)
        self._name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        self._tree = tree

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


class _Plugin:
    """A plug-in of pytest that puts the mutant in place, and stops at one failing example.

    The mutant's finder must come before pytest's own, which reads files that it is told to test.
    """

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._stand = _Stand(path, tree)

    def pytest_configure(self) -> None:
        sys.meta_path.insert(0, self._stand)
        from hypothesis import Phase, settings

        quick = settings(phases=(Phase.explicit, Phase.generate))
        settings.register_profile("quick", parent=quick)
        settings.load_profile("quick")


if __name__ == "__main__":
    sys.exit(main())
