"""All event tables of a cell in one file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from stresslab.core.errors import ConfigError
from stresslab.core.events import ON_REQUEST, TABLES, EventLog
from stresslab.results.archive import pack, unpack
from stresslab.results.frames import Tables, to_columns, to_frame


def pack_events(tables: Tables) -> bytes:
    """Return the event tables of a cell as the bytes of one file."""
    kept = [name for name in TABLES if name not in ON_REQUEST or _n_rows(tables[name])]
    return pack({name: to_frame(name, tables[name]) for name in kept})


def _n_rows(columns: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(columns.values())))


def unpack_frames(content: bytes) -> dict[str, pl.DataFrame]:
    """Return the event tables of a cell as frames.

    Raises
    ------
    ConfigError
        If they were written by code that recorded other columns.
    """
    frames = unpack(content, TABLES)
    for name in ON_REQUEST - frames.keys():
        frames[name] = to_frame(name, EventLog().columns(name))
    for name, columns in TABLES.items():
        missing = {c.name for c in columns} - set(frames[name].columns if name in frames else ())
        if missing:
            raise ConfigError(
                f"events: table {name!r} holds no {', '.join(sorted(missing))}; it was recorded by "
                "an earlier version, run the study again into another folder"
            )
    return {name: frames[name].select(c.name for c in TABLES[name]) for name in TABLES}


def unpack_tables(content: bytes) -> Tables:
    """Return the event tables of a cell as numpy columns."""
    return {name: to_columns(name, frame) for name, frame in unpack_frames(content).items()}
