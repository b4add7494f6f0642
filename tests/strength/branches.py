"""Measure the branches that the tests of the rulebook take: ``python -m tests.strength.branches``.

Fails when a test fails or when a line or a branch of a room is never taken.
"""

from __future__ import annotations

import sys

from tests.strength.selection import OPTIONS, TESTS, interpret, sources


def main() -> int:
    """Run the tests, print what is missing, and return the exit code."""
    interpret()
    import coverage
    import pytest

    cover = coverage.Coverage(
        data_file=None, branch=True, include=[str(file) for file in sources()]
    )
    cover.exclude(r"if TYPE_CHECKING:")
    with cover.collect():
        failed = pytest.main([*OPTIONS, *TESTS])
    share = cover.report(show_missing=True, skip_covered=True)
    return int(failed) or int(share < 100)


if __name__ == "__main__":
    sys.exit(main())
