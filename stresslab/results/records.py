"""What a cell came to: its outcomes or its failure, with a checksum, in one small file.

One row of Parquet costs more bytes and time than its content; these files are JSON, and the
outcomes of all cells become one Parquet table when a run is complete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stresslab.core.errors import DamagedResultsError
from stresslab.results.files import sha256
from stresslab.results.identity import canonical

Outcomes = Mapping[str, int | float | None]

DONE, FAILED = "done", "failed"
_SUM = "sha256"


@dataclass(frozen=True)
class Record:
    """One finished cell.

    ``events_sha256`` is empty when its event log is not kept, ``long_sha256`` when it failed.
    """

    cell: str
    status: str
    outcomes: Outcomes = field(default_factory=dict)
    events_sha256: str = ""
    error_type: str = ""
    error: str = ""
    long_sha256: str = ""

    @property
    def is_done(self) -> bool:
        return self.status == DONE


def pack_record(record: Record) -> bytes:
    """Return a record as the bytes of its file, checksum included."""
    content = asdict(record)
    return (canonical({**content, _SUM: _checksum(content)}) + "\n").encode()


def unpack_record(content: bytes, name: str) -> Record:
    """Return the record that a file holds.

    Raises
    ------
    DamagedResultsError
        If the bytes do not match their checksum.
    """
    try:
        values = json.loads(content)
        expected = values.pop(_SUM)
        is_sound = expected == _checksum(values)
    except (ValueError, KeyError, AttributeError, TypeError):
        is_sound = False
    if not is_sound:
        raise DamagedResultsError(damaged(name))
    return Record(**values)


def _checksum(content: dict[str, Any]) -> str:
    return sha256(canonical(content).encode())


def damaged(name: str) -> str:
    """Say what is damaged and what to do."""
    return (
        f"{name} is damaged: its bytes do not match their checksum; run the study again, "
        "which makes only this anew"
    )
