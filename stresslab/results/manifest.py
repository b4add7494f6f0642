"""The manifest of a run: who ran it on what, when and how long. Outside the byte contract."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from stresslab.results.files import write_whole
from stresslab.results.folder import RunFolder
from stresslab.results.provenance import now, provenance


@dataclass
class Session:
    """One call of the run command: its cells and their times."""

    workers: int
    started: str = field(default_factory=now)
    cell_seconds: dict[str, float] = field(default_factory=dict)
    _clock: float = field(default_factory=time.perf_counter)

    def count(self, cell: str, seconds: float) -> None:
        """Note how long a cell took."""
        self.cell_seconds[cell] = round(seconds, 4)

    def to_dict(self) -> dict[str, Any]:
        """Return the session as plain data."""
        return {
            "started": self.started,
            "ended": now(),
            "seconds": round(time.perf_counter() - self._clock, 3),
            "workers": self.workers,
            "cells": len(self.cell_seconds),
            "cell_seconds": self.cell_seconds,
            **provenance(),
        }


def write_manifest(folder: RunFolder, session: Session, *, seed: int) -> None:
    """Add a session to the manifest."""
    earlier = read_manifest(folder).get("sessions", [])
    content = {"seed": seed, "sessions": [*earlier, session.to_dict()]}
    write_whole(folder.manifest, (json.dumps(content, indent=1) + "\n").encode())


def read_manifest(folder: RunFolder) -> dict[str, Any]:
    """Return the manifest, empty if there is none that can be read."""
    try:
        found = json.loads(folder.manifest.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
