"""Several tables in one file: a plain zip of Parquet tables, without times."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping

import polars as pl

from stresslab.results.frames import parquet_bytes, read_parquet

_END = ".parquet"


def pack(frames: Mapping[str, pl.DataFrame]) -> bytes:
    """Return tables as the bytes of one file; equal tables are equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, frame in frames.items():
            archive.writestr(zipfile.ZipInfo(f"{name}{_END}"), parquet_bytes(frame))
    return buffer.getvalue()


def unpack(content: bytes, names: Iterable[str] | None = None) -> dict[str, pl.DataFrame]:
    """Return the tables that a file holds, or those named; a name it lacks is left out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = [name.removesuffix(_END) for name in archive.namelist()]
        wanted = held if names is None else [name for name in names if name in held]
        return {name: read_parquet(archive.read(f"{name}{_END}")) for name in wanted}
