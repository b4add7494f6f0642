"""All event tables of a cell in one file: a plain zip of Parquet tables, without times."""

from __future__ import annotations

import io
import zipfile

import polars as pl

from stresslab.core.events import TABLES
from stresslab.results.frames import Tables, parquet_bytes, read_parquet, to_columns, to_frame


def pack_events(tables: Tables) -> bytes:
    """Return the event tables of a cell as the bytes of one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in TABLES:
            content = parquet_bytes(to_frame(name, tables[name]))
            archive.writestr(zipfile.ZipInfo(f"{name}.parquet"), content)
    return buffer.getvalue()


def unpack_frames(content: bytes) -> dict[str, pl.DataFrame]:
    """Return the event tables of a cell as frames."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: read_parquet(archive.read(f"{name}.parquet")) for name in TABLES}


def unpack_tables(content: bytes) -> Tables:
    """Return the event tables of a cell as numpy columns."""
    return {name: to_columns(name, frame) for name, frame in unpack_frames(content).items()}
