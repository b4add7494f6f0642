"""A run that lies on disk: its design, its outcomes, its events, how far it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stresslab.core.errors import ConfigError
from stresslab.results.folder import RunFolder
from stresslab.results.records import Record

if TYPE_CHECKING:
    import polars as pl

    from stresslab.results.frames import Tables


@dataclass(frozen=True)
class Failure:
    """A cell that failed, why, and the command that makes it fail again."""

    cell: str
    error_type: str
    error: str
    command: str


@dataclass(frozen=True)
class Status:
    """How far a run is. Its files were checked against their checksums."""

    name: str
    total: int
    done: int
    failed: int
    failures: tuple[Failure, ...]

    @property
    def missing(self) -> int:
        """Cells that are still to be run."""
        return self.total - self.done - self.failed

    @property
    def is_complete(self) -> bool:
        """Tell whether every cell was run, failed ones included."""
        return self.missing == 0

    def to_dict(self) -> dict[str, Any]:
        """Return the status as plain data."""
        return {**asdict(self), "missing": self.missing, "is_complete": self.is_complete}


class Run:
    """Results of a study, read from its folder when they are asked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.folder = RunFolder(Path(path))
        if not self.folder.path.is_dir():
            raise ConfigError(f"{self.folder.path} is no folder of a run")
        self.resolved = self.folder.read_resolved()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Folder of the run."""
        return self.folder.path

    @property
    def study(self) -> dict[str, Any]:
        """The study with every default written out."""
        return dict(self.resolved["study"])

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.study["name"])

    @property
    def cells(self) -> list[str]:
        """Identities of all cells, in the order of the design."""
        return [cell for cell, _, _ in self.resolved["cells"]]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.cells)

    @cached_property
    def design(self) -> pl.DataFrame:
        """One row per place of a cell: design, point, arm, control, replicate, and its values."""
        from stresslab.results.frames import read_parquet

        return read_parquet(self.folder.read_checked(self.folder.design))

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """The design, each row with its cell's status and outcomes; unfinished cells are null."""
        from stresslab.results.frames import read_parquet
        from stresslab.results.outcomes import outcome_frame

        if self.folder.vouches_for(self.folder.outcomes):
            outcomes = read_parquet(self.folder.read_checked(self.folder.outcomes))
        else:
            outcomes = outcome_frame(list(self.records()))
        return self.design.join(outcomes, on="cell", how="left", maintain_order="left")

    def records(self) -> Iterator[Record]:
        """Yield the records of finished cells in the order of the design."""
        for cell in self.cells:
            record = self.folder.read_record(cell)
            if record is not None:
                yield record

    def record(self, cell: str) -> Record:
        """Return the record of one finished cell; a unique beginning of its identity will do."""
        cell = self.find(cell)
        record = self.folder.read_record(cell)
        if record is None:
            raise ConfigError(f"cell {cell} is not finished; run the study again to go on")
        return record

    def find(self, beginning: str) -> str:
        """Return the cell whose identity begins like this."""
        if beginning in self._known:
            return beginning
        found = [cell for cell in self.cells if cell.startswith(beginning)]
        if len(found) != 1 or not beginning:
            what = "no cell" if not found else f"{len(found)} cells"
            raise ConfigError(
                f"{what} of {self.path} begin{'s' if len(found) < 2 else ''} with {beginning!r}; "
                "identities stand in the column 'cell' of its design"
            )
        return found[0]

    def events(self, cell: str) -> dict[str, pl.DataFrame]:
        """Return the event tables of a cell as polars frames."""
        from stresslab.results.event_files import unpack_frames

        return unpack_frames(self._event_bytes(cell))

    def tables(self, cell: str) -> Tables:
        """Return the event tables of a cell as numpy columns."""
        from stresslab.results.event_files import unpack_tables

        return unpack_tables(self._event_bytes(cell))

    def long(self, table: str, cells: Iterable[str] | None = None) -> pl.DataFrame:
        """Return a long table of all finished cells, or of some, with the column ``cell`` first.

        Unlike events, long tables are kept for every cell: ``liquidation_sizes`` (a row per cascade
        tree), ``waterfall``, ``asset_matrix``, ``next_generation``, ``strategies`` and ``modes``.

        Raises
        ------
        ConfigError
            If there is no such table, or a cell was made before long tables were kept.
        """
        import polars as pl

        records = self.records() if cells is None else map(self.record, cells)
        parts = [
            self._long(record, table).select(pl.lit(record.cell).alias("cell"), pl.all())
            for record in records
            if record.is_done
        ]
        return pl.concat(parts) if parts else pl.DataFrame()

    def _long(self, record: Record, table: str) -> pl.DataFrame:
        from stresslab.results.long_tables import unpack_long

        if not record.long_sha256:
            raise ConfigError(
                f"cell {record.cell} of {self.path} was made before long tables were kept; run the "
                "study again, which adds them"
            )
        content = self.folder.read_long(record)
        found = unpack_long(content, table)
        if not found:
            known = ", ".join(unpack_long(content))
            raise ConfigError(f"long table: {table!r} is unknown, allowed are {known}")
        return found[table]

    def _event_bytes(self, cell: str) -> bytes:
        record = self.record(cell)
        if not record.events_sha256:
            raise ConfigError(
                f"cell {record.cell} keeps no events; which cells do is set by 'record.events'"
            )
        return self.folder.read_events(record)

    def with_events(self) -> list[str]:
        """Return the cells that keep their events."""
        return [record.cell for record in self.records() if record.events_sha256]

    def status(self) -> Status:
        """Return how far the run is, after checking every stored cell.

        Raises
        ------
        DamagedResultsError
            If a file does not match its checksum.
        """
        records = list(self.records())
        for record in records:
            self.folder.check(record)
        for path in (self.folder.design, self.folder.outcomes):
            if self.folder.vouches_for(path):
                self.folder.read_checked(path)
        failures = tuple(self._failure(r) for r in records if not r.is_done)
        n_done = len(records) - len(failures)
        return Status(self.name, len(self.cells), n_done, len(failures), failures)

    def _failure(self, record: Record) -> Failure:
        command = f"stresslab reproduce {self.path} --cell {record.cell}"
        return Failure(record.cell, record.error_type, record.error, command)
