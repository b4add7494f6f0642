"""A pool of worker processes; one thread each hands out cells and waits for the answers."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self, cast

from stresslab.core.errors import StresslabError
from stresslab.experiment.messages import Reply, Setup, Task
from stresslab.experiment.worker import ENVIRONMENT

ATTEMPTS = 2  # a worker that dies may have been killed for no fault of its cell

LONGEST_DEAFNESS = 0.2  # seconds until the keyboard is heard


class WorkerError(StresslabError):
    """A worker process that cannot even start."""


@dataclass(frozen=True)
class Death:
    """A cell at which every worker died."""

    cell: str
    how: str


class Pool:
    """Runs tasks in worker processes; leaving the ``with`` block ends them all."""

    def __init__(self, setup: Setup, tasks: Iterable[Task], n_workers: int) -> None:
        self._setup = setup
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._n_tasks = 0
        for task in tasks:
            self._tasks.put(task)
            self._n_tasks += 1
        self._replies: queue.SimpleQueue[Reply | Death | BaseException] = queue.SimpleQueue()
        self._workers: set[_Worker] = set()
        self._guard = threading.Lock()
        self._is_stopped = False
        n_threads = min(n_workers, self._n_tasks)
        self._threads = [threading.Thread(target=self._serve) for _ in range(n_threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            self._is_stopped = True
            for worker in self._workers:
                worker.kill()
        for thread in self._threads:
            thread.join()

    def replies(self) -> Iterator[Reply | Death]:
        """Yield what became of every task, in the order in which they end."""
        for _ in range(self._n_tasks):
            reply = self._reply()
            if isinstance(reply, BaseException):
                raise reply
            yield reply

    def _reply(self) -> Reply | Death | BaseException:
        """Wait for a reply, looking up now and then.

        Polars handles the keyboard's signal so that a thread that waits is not woken by it.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                return self._replies.get(timeout=LONGEST_DEAFNESS)

    def _serve(self) -> None:
        """Give one worker cells until none is left."""
        worker: _Worker | None = None
        try:
            worker = self._hire()
            while (task := self._next()) is not None:
                worker = self._attempt(worker, task)
        except BaseException as error:  # handed to the thread that asked for replies
            self._replies.put(error)
        finally:
            self._dismiss(worker)

    def _next(self) -> Task | None:
        try:
            return None if self._is_stopped else self._tasks.get_nowait()
        except queue.Empty:
            return None

    def _attempt(self, worker: _Worker | None, task: Task) -> _Worker | None:
        how = ""
        for _ in range(ATTEMPTS):
            worker = worker or self._hire()
            if worker is None:
                return None
            try:
                self._replies.put(worker.run(task))
                return worker
            except (EOFError, BrokenPipeError, pickle.UnpicklingError):
                how = worker.cause_of_death()
                self._dismiss(worker)
                worker = None
        if not self._is_stopped:
            self._replies.put(Death(task.cell, how))
        return None

    def _hire(self) -> _Worker | None:
        with self._guard:
            if self._is_stopped:
                return None
            worker = _Worker(self._setup)
            self._workers.add(worker)
        how = worker.start(self._setup)
        if how and not self._is_stopped:
            self._dismiss(worker)
            raise WorkerError(f"a worker process could not start: {how}")
        return worker

    def _dismiss(self, worker: _Worker | None) -> None:
        if worker is not None:
            with self._guard:
                self._workers.discard(worker)
            worker.kill()
            worker.close()


class _Worker:
    """One worker process."""

    def __init__(self, setup: Setup) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stresslab.experiment.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(setup.search_path)},
            process_group=0,  # the keyboard interrupts the parent alone
        )
        self._tasks = cast("IO[bytes]", self._process.stdin)
        self._replies = cast("IO[bytes]", self._process.stdout)

    def start(self, setup: Setup) -> str:
        """Wait until the process has imported what it needs; return how it died, if it did."""
        try:
            self._send(setup)
            pickle.load(self._replies)  # READY
        except (EOFError, BrokenPipeError):
            return self.cause_of_death()
        return ""

    def run(self, task: Task) -> Reply:
        """Run one task; raise ``EOFError`` if the process dies over it."""
        self._send(task)
        reply: Reply = pickle.load(self._replies)
        return reply

    def _send(self, message: Setup | Task) -> None:
        pickle.dump(message, self._tasks)
        self._tasks.flush()

    def cause_of_death(self) -> str:
        """Say how the process ended, with its last words."""
        code = self._process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"{how}: {words[-1]}" if words else how

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close what led to and from a dead process."""
        for stream in (self._tasks, self._replies, self._errors):
            with contextlib.suppress(BrokenPipeError):  # what a dead worker did not read is lost
                stream.close()
