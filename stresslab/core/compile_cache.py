"""Where compiled kernels are kept: one folder for each state of the package's sources.

numba notices an edit of the file that a kernel stands in, but not of the files whose functions the
kernel has compiled in. A folder named by all sources can never give back what is out of date.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"
_ROOMS = ("core", "market", "margin", "liquidation", "traders", "model")  # where kernels stand
_HOME = "kernels"
_KEPT = 3  # folders of earlier states that stay, so that two checkouts in turn do not compile anew


def choose_cache_folder(package: Path) -> None:
    """Point numba to the folder of the package's sources as they stand, unless a user chose one.

    The folder lies in ``__pycache__``; where that cannot be written, numba finds its own place.
    """
    chosen = os.environ.get(_VARIABLE)
    if chosen and Path(chosen).parent.name != _HOME:
        return
    home = package / "__pycache__" / _HOME
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(home, os.W_OK):
        folder = home / _state_of(package)
        _forget_old(home, folder)
        os.environ[_VARIABLE] = str(folder)
        _tell_numba(str(folder))


def _tell_numba(folder: str) -> None:
    """Tell a numba that was imported before the package, and has read its settings already."""
    settings = sys.modules.get("numba.core.config")
    if settings is not None:
        settings.CACHE_DIR = folder  # type: ignore[attr-defined]


def cache_folder() -> str | None:
    """Return the folder in which compiled kernels are kept, if one was chosen."""
    return os.environ.get(_VARIABLE)


def _state_of(package: Path) -> str:
    """Return a name for the sources, from path, size and time of change of every file."""
    digest = hashlib.sha256()
    for source in sorted(file for room in _ROOMS for file in (package / room).rglob("*.py")):
        facts = source.stat()
        name = source.relative_to(package)
        digest.update(f"{name}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _forget_old(home: Path, current: Path) -> None:
    if current.exists():
        return
    folders = sorted(home.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
