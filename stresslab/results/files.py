"""Files that are either whole or not there: temporary name, flush to disk, rename."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from stresslab.core.errors import StorageError

TEMPORARY = ".part"  # ends the name of a file that is being written


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, a crash or a kill never meets half of it.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    with storage_errors(path):
        try:
            _write_flushed(temporary, content)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _write_flushed(path: Path, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def make_folder(path: Path) -> None:
    """Make a folder and what is above it."""
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def remove_temporary(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for path in folder.glob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def sha256(content: bytes) -> str:
    """Return the checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Say in one sentence why something cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"cannot write {path}: {reason}; what is finished is kept, "
            "the same command goes on once this is mended"
        ) from error
