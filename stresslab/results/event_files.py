"""All event tables of a cell in one file."""

from __future__ import annotations

import polars as pl

from stresslab.core.events import TABLES
from stresslab.results.archive import pack, unpack
from stresslab.results.frames import Tables, to_columns, to_frame


def pack_events(tables: Tables) -> bytes:
    """Return the event tables of a cell as the bytes of one file."""
    return pack({name: to_frame(name, tables[name]) for name in TABLES})


def unpack_frames(content: bytes) -> dict[str, pl.DataFrame]:
    """Return the event tables of a cell as frames."""
    return unpack(content, TABLES)


def unpack_tables(content: bytes) -> Tables:
    """Return the event tables of a cell as numpy columns."""
    return {name: to_columns(name, frame) for name, frame in unpack_frames(content).items()}
