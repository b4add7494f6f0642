"""Measure the branches that the tests of the rulebook take: ``python -m tests.strength.branches``.

Fails when a test fails or when a line or a branch of a room is never taken. Which test runs which
line is kept on the way, for the mutants.
"""

from __future__ import annotations

import sys

from tests.strength.reach import measured
from tests.strength.selection import interpret


def main() -> int:
    """Run the tests, print what is missing, and return the exit code."""
    interpret()
    failed, cover = measured()
    share = cover.report(show_missing=True, skip_covered=True)
    return int(failed) or int(share < 100)


if __name__ == "__main__":
    sys.exit(main())
