"""Draws the figures of a run in several processes; what comes out does not depend on how many.

Drawing is nearly all of a report's time and figures know nothing of each other. The processes are
plain children with their own interpreter, so that a script may ask for a report without guarding
its main part.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from stresslab.core.errors import StresslabError
from stresslab.report.html import Absent, Picture

#: What drawing one name gives: a picture for each design that carries it, or why there is none.
Drawn = list[Picture | Absent]

#: Libraries that would start threads of their own fight over the cores of the other processes.
_ENVIRONMENT = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class DrawingError(StresslabError):
    """A process that draws has ended before it was done."""


class Studio:
    """Processes that draw; leaving the ``with`` block ends them.

    ``names`` are the figures in the order of the report; without any, all there are.
    """

    def __init__(self, run: Path, folder: Path, names: Sequence[str], workers: int) -> None:
        self.names = list(names)
        self._to_draw: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[tuple[str, Drawn] | BaseException] = queue.SimpleQueue()
        self.artists = [_Artist(run, folder) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(a,)) for a in self.artists]

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *of_error: object) -> None:
        for artist in self.artists:
            artist.end()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def drawn(self) -> Iterator[tuple[str, Drawn]]:
        """Yield each name and what drawing it gave, in the order in which they end."""
        known = self.artists[0].names()
        self.names = self.names or known
        for name in self.names:
            self._to_draw.put(name)
        for thread in self._threads:
            thread.start()
        for _ in self.names:
            reply = self._replies.get()
            if isinstance(reply, BaseException):
                raise reply
            yield reply

    def _serve(self, artist: _Artist) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                name = self._to_draw.get_nowait()
                try:
                    self._replies.put((name, artist.draw(name)))
                except Exception as error:  # handed to the thread that asked
                    self._replies.put(error)
                    return


class _Artist:
    """One process that draws."""

    def __init__(self, run: Path, folder: Path) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stresslab.report.artist", str(run), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": paths},
            process_group=0,  # the keyboard interrupts the parent alone
        )
        self._names: list[str] | None = None
        self._asked = cast("IO[bytes]", self._process.stdin)
        self._given = cast("IO[bytes]", self._process.stdout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def names(self) -> list[str]:
        """Wait until the process can draw; return the names of all figures."""
        if self._names is None:
            self._names = cast("list[str]", self._receive("the report"))
        return self._names

    def draw(self, name: str) -> Drawn:
        """Ask for one figure and wait for it."""
        self.names()
        with contextlib.suppress(BrokenPipeError):
            self._asked.write(f"{name}\n".encode())
            self._asked.flush()
        return cast("Drawn", self._receive(f"figure {name}"))

    def _receive(self, what: str) -> object:
        try:
            reply = pickle.load(self._given)
        except (EOFError, pickle.UnpicklingError) as error:
            raise DrawingError(f"{what} cannot be drawn: {self._last_words()}") from error
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"its process ended ({words[-1] if words else code})"

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._asked, self._given, self._errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
