"""Processes that need the same kernels share the work of compiling them.

Compiling takes numba half a minute, on one core. In a rehearsal, a kernel that another process is
compiling is interpreted, so that each process goes on to the next one that nobody has begun; what
a rehearsal computes is thrown away. Otherwise the kernel is waited for and read from disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_MARK = "rehearsed"
_rehearsals: list[bool] = []


class CompiledElsewhere(Exception):
    """Another process is compiling the kernel."""


@contextlib.contextmanager
def turn(function: Callable[..., Any], folder: str) -> Iterator[None]:
    """Let one process at a time compile ``function``, whose kernel is kept in ``folder``.

    numba's index of what it keeps is not made for two that write it at once.

    Raises
    ------
    CompiledElsewhere
        In a rehearsal, if another process is at it.
    """
    with contextlib.ExitStack() as stack:
        descriptor = _open(Path(folder) / f"{function.__module__}.{function.__qualname__}.lock")
        if descriptor is not None:
            stack.callback(os.close, descriptor)
            _take(descriptor)
        yield


def _open(path: Path) -> int | None:
    """Return a descriptor of the lock; where nothing can be kept there is nothing to guard."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        return None


def _take(descriptor: int) -> None:
    if not _rehearsals:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CompiledElsewhere from None


def is_rehearsed(home: str) -> bool:
    """Return whether what most runs need lies compiled in the folder ``home``."""
    return (Path(home) / _MARK).exists()


def rehearse(run: Callable[[], Any], home: str | None) -> None:
    """Call ``run`` for the sake of compiling, unless that was done once in the folder ``home``.

    Whatever goes wrong will go wrong again, and be told, when it is run in earnest.
    """
    if not home or is_rehearsed(home):
        return
    _rehearsals.append(True)
    try:
        run()
    except Exception:
        pass
    finally:
        _rehearsals.pop()
    with contextlib.suppress(OSError):
        (Path(home) / _MARK).touch()
