"""Break the rulebook in one place after another and count what its tests notice.

``python -m tests.strength.mutation --share 0.1`` tries a tenth of all mutants of every file, the
same ones each time; ``--salt`` chooses others. Each runs in a process of its own, which loads the
mutant in place of the module, and is tried on the tests that run the mutated lines. It is killed
when a test fails or hangs. Survivors are printed, then the share killed with its 95 % interval.
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
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.strength.mutants import Mutant, mutants, mutated
from tests.strength.reach import Reach, kept, measure
from tests.strength.selection import OPTIONS, ROOMS, ROOT, interpret, sources_of

#: A test that takes so many times as long, and so many seconds more, hangs.
SLOWER, PATIENCE = 10.0, 30.0
MOST_BYTES = 4 * 1024**3


def main() -> int:
    """Try the mutants and return the exit code: 1 if less than 90 % of a room's are killed."""
    options = _options()
    interpret()
    reach = kept()
    if reach is None:
        if _in_a_child(measure, math.inf) != 0:
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
    import hypothesis
    import mesa
    import numba
    import numpy
    import pydantic
    import pytest
    import ruamel.yaml

    assert all((hypothesis, mesa, numba, numpy, pydantic, pytest, ruamel.yaml))


def _try_room(room: str, options: argparse.Namespace, reach: Reach) -> tuple[int, int]:
    """Try a room's sample, print the survivors, and return how many were killed and tried."""
    chosen = [
        mutant
        for path in sources_of(room)
        if options.only in str(path)
        for mutant in sample(mutants(path), options.share, options.salt)
    ]
    killed = 0
    for mutant in chosen:
        is_killed = _is_killed(mutant, reach)
        killed += is_killed
        if not is_killed:
            print(f"survived {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
    return killed, len(chosen)


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


def _is_killed(mutant: Mutant, reach: Reach) -> bool:
    tests = reach.of(mutant.path, range(mutant.line, mutant.last_line + 1))
    if not tests:
        return False
    patience = PATIENCE + SLOWER * sum(reach.seconds.get(test, 0.0) for test in tests)
    return _in_a_child(lambda: _run(mutant, tests), patience) != 0


def _in_a_child(work: Callable[[], int], patience: float) -> int:
    """Return the exit code of work done in a process of its own; a hanging one is ended."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())
        except BaseException:
            os._exit(3)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _run(mutant: Mutant, tests: list[str]) -> int:
    import pytest

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1), os.dup2(nowhere, 2)
    sys.meta_path.insert(0, _Stand(mutant))
    return int(pytest.main([*OPTIONS, "-x", "--tb=no", *tests], plugins=[_NoShrinking()]))


class _Stand(importlib.abc.MetaPathFinder):
    """Finds the mutated module; all others are found as ever."""

    def __init__(self, mutant: Mutant) -> None:
        self._path = str(ROOT / mutant.path)
        self._name = ".".join(mutant.path.with_suffix("").parts).removesuffix(".__init__")
        self._tree = mutated(mutant)

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


class _NoShrinking:
    """A plug-in of pytest: one failing example is enough, the smallest is not wanted."""

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        quick = settings(phases=(Phase.explicit, Phase.generate))
        settings.register_profile("quick", parent=quick)
        settings.load_profile("quick")


if __name__ == "__main__":
    sys.exit(main())
