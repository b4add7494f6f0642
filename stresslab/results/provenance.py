"""How a run was made: versions, platform, times. Outside the byte contract."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from typing import Any

from stresslab import __version__
from stresslab.results.identity import RESULTS_VERSION

_LIBRARIES = (
    "mesa",
    "networkx",
    "numba",
    "numpy",
    "polars",
    "pydantic-core",
    "pyyaml",
    "scipy",
)


def provenance() -> dict[str, Any]:
    """Return what this process runs on."""
    return {
        "stresslab": __version__,
        "results_version": RESULTS_VERSION,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
