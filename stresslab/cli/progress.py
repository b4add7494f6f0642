"""Progress of a run: a bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from stresslab.experiment.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar

#: Seconds between two plain lines.
PLAIN_SECONDS = 10.0
#: Cells since the first new one that an estimate of the time left needs.
FEWEST = 8


class Shown(Progress, Protocol):
    """Progress that is shown while a ``with`` block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Counting:
    """Counts of cells and the clock, shared by both kinds of progress.

    What is left is told from the cells after the first new one: that one took in starting, and
    after an installation compiling, which is over when it ends.
    """

    def __init__(self) -> None:
        self.total = self.done = self.failed = 0
        self.began = self._now()
        self._after = 0  # cells since the first new one
        self._first = 0.0  # when that one ended

    @staticmethod
    def _now() -> float:
        return time.monotonic()

    def _begin(self, total: int, finished: int) -> None:
        self.total, self.done, self._after, self._first = total, finished, 0, 0.0

    def _count(self, failed: bool) -> None:
        self.done += 1
        self.failed += failed
        if self._first:
            self._after += 1
        else:
            self._first = self._now()

    def text(self) -> str:
        """Return the state in words.

        >>> counting = _Counting()
        >>> counting.total, counting.done, counting.failed = 180, 12, 1
        >>> counting.text()
        '12 of 180 cells after 0 s, 1 failed'
        """
        parts = [f"{self.done} of {self.total} cells after {_span(self._now() - self.began)}"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.done < self.total and self._after >= FEWEST:
            seconds = (self._now() - self._first) / self._after * (self.total - self.done)
            parts.append(f"about {_span(seconds)} left")
        return ", ".join(parts)


def _span(seconds: float) -> str:
    """Return a time in the unit that people would say it in.

    >>> _span(87.4), _span(301), _span(9000)
    ('87 s', '5 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class PlainProgress(_Counting):
    """Lines of text, for logs and pipes; a thread speaks even while no cell finishes."""

    def __init__(self, seconds: float = PLAIN_SECONDS) -> None:
        super().__init__()
        self._every = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def begin(self, total: int, finished: int) -> None:
        """Announce the number of cells and how many of them an earlier run finished.

        A study that grows, as by bisection, is announced anew each time.
        """
        self._begin(total, finished)
        if finished:
            print(f"{finished} of {total} cells were finished before", flush=True)
        if self._thread.ident is None:
            self._thread.start()

    def cell(self, failed: bool) -> None:
        """Count one more finished cell."""
        self._count(failed)

    def note(self, text: str) -> None:
        """Say something worth a line."""
        print(text, flush=True)

    def _speak(self) -> None:
        while not self._over.wait(self._every):
            print(self.text(), flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if error is None and self.total:
            print(self.text(), flush=True)


class BarProgress(_Counting):
    """A bar that redraws itself, for terminals."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = _bar()
        self._task = self._bar.add_task("starting", total=None, note="")

    def begin(self, total: int, finished: int) -> None:
        """Announce the number of cells and how many of them an earlier run finished."""
        self._begin(total, finished)
        note = f"{finished} finished before" if finished else ""
        self._bar.update(
            self._task, total=total, completed=finished, description="cells", note=note
        )

    def cell(self, failed: bool) -> None:
        """Count one more finished cell."""
        self._count(failed)
        note = f"[red]{self.failed} failed[/]" if self.failed else ""
        self._bar.update(self._task, completed=self.done, note=note)

    def note(self, text: str) -> None:
        """Say something worth a line, above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


def progress() -> Shown:
    """Return a bar on a terminal, plain lines anywhere else."""
    return BarProgress() if sys.stdout.isatty() else PlainProgress()


def _bar() -> RichBar:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
