"""What a run tells while it works; whoever runs it decides how to show that."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a run, always in the thread that started it."""

    def begin(self, total: int, finished: int) -> None:
        """Announce the number of cells and how many of them an earlier run finished."""

    def cell(self, failed: bool) -> None:
        """Count one more finished cell."""

    def note(self, text: str) -> None:
        """Say something worth a line: a damaged file, a worker that died."""


class Silent:
    """Shows nothing."""

    def begin(self, total: int, finished: int) -> None:
        """Ignore the number of cells."""

    def cell(self, failed: bool) -> None:
        """Ignore a finished cell."""

    def note(self, text: str) -> None:
        """Ignore a note."""
