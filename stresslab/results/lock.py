"""One run per folder: a lock that the system releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from stresslab.core.errors import ConfigError
from stresslab.results.files import storage_errors

NAME = ".lock"


@contextlib.contextmanager
def locked(folder: Path, shard: str = "") -> Iterator[None]:
    """Hold a run's folder. Shards of one run share it, but each shard is held once.

    Raises
    ------
    ConfigError
        If somebody else holds it.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_held(folder / NAME, folder, exclusive=not shard))
        if shard:
            stack.enter_context(_held(folder / f"{NAME}-{shard}", folder, exclusive=True))
        yield


@contextlib.contextmanager
def _held(path: Path, folder: Path, *, exclusive: bool) -> Iterator[None]:
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, folder, exclusive=exclusive)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path, *, exclusive: bool) -> None:
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
        raise ConfigError(
            f"{folder} is in use by another run (process {holder}); wait for it, or give "
            "--out another folder"
        ) from None
    if exclusive:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
