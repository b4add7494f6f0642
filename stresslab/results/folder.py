"""The folder of a run: where everything lies, and how it is read back and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stresslab.core.errors import ConfigError, DamagedResultsError
from stresslab.results.files import make_folder, remove_temporary, sha256, write_whole
from stresslab.results.identity import canonical
from stresslab.results.records import Record, damaged, pack_record, unpack_record

PARTS = ("outcomes", "events", "graphs", "figures", "tables", "data")


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and its small files."""

    path: Path

    @property
    def resolved(self) -> Path:
        return self.path / "resolved.json"

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def checksums(self) -> Path:
        return self.path / "checksums.json"

    @property
    def design(self) -> Path:
        return self.path / "design.parquet"

    @property
    def outcomes(self) -> Path:
        return self.path / "outcomes" / "outcomes.parquet"

    def record(self, cell: str) -> Path:
        return self.path / "outcomes" / f"{cell}.json"

    def events(self, cell: str) -> Path:
        return self.path / "events" / f"{cell}.zip"

    def long(self, cell: str) -> Path:
        return self.path / "outcomes" / f"{cell}.zip"

    def make(self) -> None:
        """Make the folder and its parts."""
        for part in PARTS:
            make_folder(self.path / part)

    def clear_temporary(self) -> None:
        """Remove what a killed run left half-written."""
        for part in ("", "outcomes", "events", "data"):
            remove_temporary(self.path / part)

    def store(self, record: Record, events: bytes | None = None, long: bytes | None = None) -> None:
        """Store a finished cell; its record comes last and makes it count."""
        if events is not None:
            write_whole(self.events(record.cell), events)
        if long is not None:
            write_whole(self.long(record.cell), long)
        write_whole(self.record(record.cell), pack_record(record))

    def read_record(self, cell: str) -> Record | None:
        """Return the record of a cell, ``None`` if the cell is not finished."""
        path = self.record(cell)
        content = path.read_bytes() if path.exists() else None
        return None if content is None else unpack_record(content, str(path))

    def read_events(self, record: Record) -> bytes:
        """Return the event file of a cell, checked against its record."""
        return _read_as_stated(self.events(record.cell), record.events_sha256)

    def read_long(self, record: Record) -> bytes:
        """Return the file of a cell's long tables, checked against its record."""
        return _read_as_stated(self.long(record.cell), record.long_sha256)

    def check(self, record: Record) -> None:
        """Raise ``DamagedResultsError`` unless the files of a cell are as its record states."""
        if record.events_sha256:
            self.read_events(record)
        if record.long_sha256:
            self.read_long(record)

    def read_resolved(self) -> dict[str, Any]:
        """Return the resolved form of the run: its study and its cells."""
        if not self.resolved.exists():
            raise ConfigError(f"{self.path} holds no run: there is no {self.resolved.name} in it")
        content = self.resolved.read_bytes()
        values = _json(content, self.resolved)
        if sha256(content) != self._stated_sums().get(self.resolved.name, sha256(content)):
            raise DamagedResultsError(damaged(str(self.resolved)))
        return values

    def read_checked(self, path: Path) -> bytes:
        """Return the bytes of a file that ``checksums.json`` vouches for."""
        name = path.relative_to(self.path).as_posix()
        return _read_as_stated(path, self._stated_sums().get(name))

    def vouches_for(self, path: Path) -> bool:
        """Tell whether ``checksums.json`` lists a file."""
        return path.relative_to(self.path).as_posix() in self._stated_sums()

    def write_checksums(self, paths: Iterator[Path]) -> None:
        """Write the checksums of finished files."""
        sums = {p.relative_to(self.path).as_posix(): sha256(p.read_bytes()) for p in paths}
        write_whole(self.checksums, (canonical(sums) + "\n").encode())

    def _stated_sums(self) -> dict[str, str]:
        if not self.checksums.exists():
            return {}
        sums: dict[str, str] = _json(self.checksums.read_bytes(), self.checksums)
        return sums


def _read_as_stated(path: Path, checksum: str | None) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    if sha256(content) != checksum:
        raise DamagedResultsError(damaged(str(path)))
    return content


def _json(content: bytes, path: Path) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise DamagedResultsError(damaged(str(path))) from error
