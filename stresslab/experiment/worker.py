"""A worker process: reads cells from its input, runs them, stores them, answers on its output.

It dies with its parent, however that dies: the kernel is asked to kill it (Linux), and a thread
waits for the end of its input (anywhere).
"""

from __future__ import annotations

import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import IO, Any

from stresslab.experiment.messages import Setup

PR_SET_PDEATHSIG = 1
READY = "ready"  # what a worker says when it has imported and read all it needs

#: One thread per worker: libraries with their own threads would fight over the cores.
ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


def main() -> None:
    """Serve the parent until it closes the input.

    The process ends at once either way: a usual end would wait for the thread that listens.
    """
    try:
        _serve()
    except BaseException:
        traceback.print_exc()  # read by the parent as the last words
        sys.stderr.flush()
        os._exit(1)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    die_with_parent()
    output = _private_output()
    messages = _messages(sys.stdin.buffer)
    setup: Setup = next(messages)
    sys.path[:] = setup.search_path
    from stresslab.experiment.cell_runs import CellRuns

    runs = CellRuns(setup)
    pickle.dump(READY, output)
    output.flush()
    for task in messages:
        pickle.dump(runs.run(task), output)
        output.flush()


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it ends, however (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _private_output() -> IO[bytes]:
    """Keep the output for replies; whatever prints goes to the error stream."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _messages(stream: IO[bytes]) -> Iterator[Any]:
    """Yield what the parent sends; end the process when the parent is gone, even amid a cell."""
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        while True:
            try:
                received.put(pickle.load(stream))
            except (EOFError, pickle.UnpicklingError):
                os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        yield received.get()


if __name__ == "__main__":
    main()
