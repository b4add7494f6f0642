"""Break the rulebook in one place after another and count what its tests notice.

``python -m tests.strength.mutation --share 0.1`` tries a tenth of all mutants of every file, the
same ones each time; ``--salt`` chooses others. Each meets, in a process of its own, the tests that
run the mutated lines, the quickest first. It is killed when a test fails or hangs; a file whose
tests fail as it is stops the run. Survivors are printed, then the share killed with its 95 %
interval.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import math
import mmap
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.strength.mutants import Mutant, mutants, mutated
from tests.strength.reach import MOST_SECONDS, Reach, kept, measure
from tests.strength.selection import ROOMS, ROOT, interpret, sources_of
from tests.strength.trials import Stage, in_a_child, run_loaded

#: Tests hang that use so many times the processor's time, and so many seconds more.
SLOWER, PATIENCE = 4, 15
#: Tests that a file must pass as it is before what its mutants fail counts.
N_CONTROLS = 12
#: Tests that a mutant is tried on first if they must be loaded for it.
N_FIRST = 40
#: What is known of a mutant.
NOT_TRIED, KILLED, SURVIVED = range(3)

#: Runs tests and returns 0 if they all pass.
Run = Callable[[list[str]], int]


def main() -> int:
    """Try the mutants and return the exit code: 1 if less than 90 % of a room's are killed."""
    options = _options()
    interpret()
    reach = kept()
    if reach is None:
        if in_a_child(measure) != 0:
            print("the tests fail without a mutant")
            return 2
        reach = kept()
    assert reach is not None
    reach = reach._replace(most=options.seconds)
    _warm_up()
    chosen = {
        room: [
            mutant
            for path in sources_of(room)
            if options.only in str(path)
            for mutant in sample(mutants(path), options.share, options.salt)
        ]
        for room in options.room
    }
    verdicts = try_all([mutant for found in chosen.values() for mutant in found], reach)
    return _report(chosen, verdicts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", nargs="*", choices=ROOMS, default=list(ROOMS))
    parser.add_argument("--share", type=float, default=0.1, help="of each file's mutants")
    parser.add_argument("--salt", default="", help="chooses other mutants")
    parser.add_argument("--only", default="", help="files with this in their path")
    parser.add_argument(
        "--seconds", type=float, default=MOST_SECONDS, help="of tests for a mutant, at most"
    )
    return parser.parse_args()


def _warm_up() -> None:
    """Import once what every process needs, but nothing of stresslab."""
    import mesa
    import numba
    import numpy
    import pydantic
    import pytest
    import yaml

    assert all((mesa, numba, numpy, pydantic, pytest, yaml))


def sample(found: Sequence[Mutant], share: float, salt: str) -> list[Mutant]:
    """Return a share of a file's mutants, at least one, chosen by what they are."""

    def luck(mutant: Mutant) -> bytes:
        words = f"{salt}/{mutant.path}/{mutant.number}/{mutant.change}"
        return hashlib.sha256(words.encode()).digest()

    drawn = sorted(found, key=luck)[: math.ceil(share * len(found))]
    return sorted(drawn, key=lambda mutant: mutant.number)


# -- one after another -----------------------------------------------------------------------------


def try_all(chosen: Sequence[Mutant], reach: Reach) -> bytes:
    """Try mutants, print the survivors, and return what is known of each then."""
    verdicts = mmap.mmap(-1, max(1, len(chosen)))  # shared with the child
    in_a_child(lambda: _stage(chosen, verdicts, reach))
    controlled: set[Path] = set()
    for place, mutant in enumerate(chosen):
        if verdicts[place] == NOT_TRIED:
            tree, path = mutated(mutant), mutant.path
            if path not in controlled:
                whole = ast.parse((ROOT / path).read_text())
                _control(path, reach, lambda tests, p=path, t=whole: run_loaded(p, t, tests))
                controlled.add(path)
            parts = _halves(_tests_of(mutant, reach))
            verdicts[place] = _verdict(
                mutant, reach, parts, lambda tests, p=path, t=tree: run_loaded(p, t, tests)
            )
    return verdicts[: len(chosen)]


def _stage(chosen: Sequence[Mutant], verdicts: mmap.mmap, reach: Reach) -> int:
    Stage(lambda stage: _try_in_place(stage, chosen, verdicts, reach)).open()
    return 0


def _try_in_place(
    stage: Stage, chosen: Sequence[Mutant], verdicts: mmap.mmap, reach: Reach
) -> None:
    """Try what only changes functions that stand already."""
    controlled: set[Path] = set()
    for place, mutant in enumerate(chosen):
        codes = stage.codes(mutant.path, mutated(mutant))
        if codes is None:
            continue
        if mutant.path not in controlled:
            _control(mutant.path, reach, lambda tests: stage.run([], tests))
            controlled.add(mutant.path)
        parts = [_tests_of(mutant, reach)]
        verdicts[place] = _verdict(
            mutant, reach, parts, lambda tests, codes=codes: stage.run(codes, tests)
        )
        if verdicts[place] == KILLED:
            stage.note()


def _tests_of(mutant: Mutant, reach: Reach) -> list[str]:
    return reach.of(mutant.path, range(mutant.line, mutant.last_line + 1))


def _halves(tests: list[str]) -> list[list[str]]:
    """Return the quickest tests and the others: most fall to the few, which load sooner."""
    return [part for part in (tests[:N_FIRST], tests[N_FIRST:]) if part]


def _control(path: Path, reach: Reach, run: Run) -> None:
    """Raise unless a file passes its quickest tests in the very way its mutants are tried."""
    tests = reach.of(path, range(0))[:N_CONTROLS]
    if tests and in_a_child(lambda: run(tests)) != 0:
        raise RuntimeError(f"{path} fails its tests without a mutant: {tests}")


def _verdict(mutant: Mutant, reach: Reach, parts: list[list[str]], run: Run) -> int:
    for tests in parts:
        seconds = sum(reach.seconds.get(test, 0.0) for test in tests)
        if in_a_child(lambda tests=tests: run(tests), PATIENCE + SLOWER * math.ceil(seconds)) != 0:
            return KILLED
    print(f"survived {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
    return SURVIVED


# -- what comes out --------------------------------------------------------------------------------


def _report(chosen: dict[str, list[Mutant]], verdicts: bytes) -> int:
    """Print the shares killed; stresslab is not imported before the last mutant was tried."""
    from stresslab.analysis.intervals import wilson

    code, first = 0, 0
    for room, found in chosen.items():
        killed, number = verdicts[first : first + len(found)].count(KILLED), len(found)
        first += number
        share = wilson(killed, number)
        code |= int(killed < 0.9 * number)
        print(
            f"{room}: {killed} of {number} killed, {share.mid:.1%} "
            f"(95 % interval {share.low:.1%} to {share.high:.1%})"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
