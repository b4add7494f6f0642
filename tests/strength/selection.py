"""Which code is measured, and by which tests: the rulebook's rooms and the tests of their rules.

The tests run with compilation switched off, so every line of a kernel is a line of Python.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Room -> what it is made of.
ROOMS = {
    "margin": "stresslab/margin",
    "liquidation": "stresslab/liquidation",
    "ledger": "stresslab/core/ledger.py",
}

#: Tests that say what the rules of these rooms are: of functions, of all policies of a table, of
#: bad rules in configs, of every mechanic, of money; published numbers and plain twins; and the
#: examples in docstrings.
TESTS = (
    "tests/unit/margin",
    "tests/unit/liquidation",
    "tests/unit/core/test_ledger.py",
    "tests/unit/model/test_change.py",
    "tests/contract/test_adl_policies.py",
    "tests/contract/test_bad_configs.py",
    "tests/reference/rulebook",
    "tests/reference/venues",
    "tests/reference/test_causes_by_hand.py",
    "tests/reference/test_four_account_cascade.py",
    "tests/reference/test_margin_brackets.py",
    "tests/reference/test_margin_vectors.py",
    "tests/reference/test_random_accounts.py",
    "tests/reference/test_waterfall_rules.py",
    "tests/property/test_liquidation_prices.py",
    "tests/property/test_margin_sweep.py",
    "tests/property/test_waterfall_policies.py",
    "tests/property/test_winners_queue.py",
    *ROOMS.values(),
)

#: Among them, those that take a minute without compilation and reach nothing that others do not:
#: whole markets, and the ten million postings that are marked slow.
TOO_LONG = (
    "tests/reference/rulebook/test_07_margin_by_volatility.py"
    "::test_maintenance_that_follows_volatility_feeds_the_cascade_that_makes_it",
)

#: What pytest is told besides.
OPTIONS = (
    "-q", "-n0", "-p", "no:cacheprovider", "-m", "not slow",
    *(f"--deselect={test}" for test in TOO_LONG),
)  # fmt: skip


def interpret() -> None:
    """Switch compilation off for this process; nothing of numba may have been imported."""
    if "numba" in sys.modules:
        raise RuntimeError("numba was imported before compilation could be switched off")
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))


def sources() -> list[Path]:
    """Return the files of all rooms, in order of their paths, from the project's folder."""
    return [path for room in ROOMS for path in sources_of(room)]


def sources_of(room: str) -> list[Path]:
    """Return the files of a room."""
    place = ROOT / ROOMS[room]
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return [file.relative_to(ROOT) for file in files]
