"""Where two makings of the same cell differ: the first outcome, table, row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stresslab.core.errors import DamagedResultsError
from stresslab.results.folder import RunFolder
from stresslab.results.records import Record

if TYPE_CHECKING:
    import polars as pl

_Placed = tuple[RunFolder, Record]
_Read = Callable[[RunFolder, Record], bytes]


def differences(stored_in: RunFolder, made_in: RunFolder, stored: Record) -> Iterator[str]:
    """Yield in words where a cell that was made again differs from what is stored."""
    made = made_in.read_record(stored.cell)
    if made is None:
        yield "nothing was made"
        return
    if (stored.status, stored.error_type, stored.error) != (
        made.status,
        made.error_type,
        made.error,
    ):
        yield f"stored: {_ending(stored)}; made again: {_ending(made)}"
    yield from _outcomes(stored, made)
    if stored.events_sha256:
        yield from _files("events", RunFolder.read_events, (stored_in, stored), (made_in, made))
    if stored.long_sha256:
        yield from _files("long tables", RunFolder.read_long, (stored_in, stored), (made_in, made))


def _ending(record: Record) -> str:
    return record.status if record.is_done else f"failed, {record.error_type}: {record.error}"


def _outcomes(stored: Record, made: Record) -> Iterator[str]:
    """Yield the first outcome that differs; ``repr`` tells 1 from 1.0 and is exact."""
    for name in dict.fromkeys((*stored.outcomes, *made.outcomes)):
        was, now = (repr(r.outcomes.get(name, "nothing")) for r in (stored, made))
        if was != now:
            yield f"outcome {name}: stored {was}, made again {now}"
            return


def _files(what: str, read: _Read, stored: _Placed, made: _Placed) -> Iterator[str]:
    """Yield how two files differ; a damaged one differs, whatever its record says of it."""
    try:
        was = read(*stored)
    except DamagedResultsError as damage:
        yield str(damage)
        return
    now = read(*made)
    if was != now:
        yield _tables(was, now, what)


def _tables(stored: bytes, made: bytes, what: str) -> str:
    from stresslab.results.archive import unpack

    was, now = unpack(stored), unpack(made)
    if list(was) != list(now):
        return f"{what}: stored {', '.join(was)}, made again {', '.join(now)}"
    for table in was:
        if not was[table].equals(now[table]):
            return f"table {table}: {_first_difference(was[table], now[table])}"
    return f"the files of {what} differ in their bytes, though every value is equal"


def _first_difference(was: pl.DataFrame, now: pl.DataFrame) -> str:
    for row in range(min(was.height, now.height)):
        for column in was.columns:
            before, after = was[column][row], now[column][row]
            if repr(before) != repr(after):
                return f"row {row}, column {column}: stored {before!r}, made again {after!r}"
    return f"stored {was.height} rows, made again {now.height}"
