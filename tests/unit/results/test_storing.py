from __future__ import annotations

import errno
import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stresslab.core.errors import ConfigError, DamagedResultsError, StorageError
from stresslab.core.events import TABLES, EventLog
from stresslab.results.archive import pack
from stresslab.results.event_files import pack_events, unpack_frames, unpack_tables
from stresslab.results.files import write_whole
from stresslab.results.lock import locked
from stresslab.results.outcomes import outcome_frame
from stresslab.results.records import DONE, FAILED, Record, pack_record, unpack_record


def _tables() -> dict[str, dict[str, np.ndarray]]:
    log = EventLog()
    log.append("counts", fills=3, orders=2**62, refused=0, cancelled=-1)
    log.append("shocks", asset=[0, 1], fall=[0.1, 1 / 3], first_step=5, last_step=6)
    log.append("assets", asset=0, name="Ξ-USD", kind="perpetual", tick_size_usd=0.5, lot_size=1.0,
               unit_value_micro_usd=1, initial_price_ticks=7)  # fmt: skip
    return {name: log.columns(name) for name in TABLES}


def test_event_tables_come_back_as_they_were() -> None:
    tables = _tables()
    assert tables["shocks"]["fall"].size == 2
    back = unpack_tables(pack_events(tables))
    for name, columns in tables.items():
        for column, values in columns.items():
            assert back[name][column].dtype == values.dtype, (name, column)
            assert np.array_equal(back[name][column], values), (name, column)


def test_frames_have_the_declared_columns() -> None:
    frames = unpack_frames(pack_events(_tables()))
    assert {name: frame.columns for name, frame in frames.items()} == {
        name: [column.name for column in schema] for name, schema in TABLES.items()
    }
    assert frames["shocks"].schema["first_step"] == pl.Int32


def test_balances_are_stored_only_where_they_were_asked_for() -> None:
    plain = pack_events(_tables())
    log = EventLog()
    log.append("balances", step=1, stage="match", holder="fees", account=-1, asset=-1, mode="flat",
               cash_micro_usd=[7], lots=0)  # fmt: skip
    asked = pack_events({**_tables(), "balances": log.columns("balances")})
    for content, held in ((plain, 0), (asked, 1)):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            assert ("balances.parquet" in archive.namelist()) == bool(held)
        assert unpack_frames(content)["balances"]["cash_micro_usd"].to_list() == [7] * held


def test_event_files_hold_no_time() -> None:
    content = pack_events(_tables())
    assert content == pack_events(_tables())
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("place", [0, 20, -30, -3])
def test_a_record_with_a_changed_byte_is_damaged(place: int) -> None:
    record = Record("ab" * 8, DONE, {"loss_usd": 0.1 + 0.2, "n": 3, "ratio": None}, "cd" * 32)
    content = bytearray(pack_record(record))
    assert unpack_record(bytes(content), "f") == record
    content[place] ^= 2
    with pytest.raises(DamagedResultsError, match="f is damaged"):
        unpack_record(bytes(content), "f")


def test_a_truncated_record_is_damaged() -> None:
    content = pack_record(Record("ab" * 8, FAILED, error_type="ValueError", error="no"))
    with pytest.raises(DamagedResultsError):
        unpack_record(content[:-10], "f")


def test_outcomes_are_columns_and_what_is_missing_is_null() -> None:
    frame = outcome_frame(
        [
            Record("a", DONE, {"n": 1, "loss_usd": 1}),
            Record("b", FAILED, error_type="ValueError", error="no"),
            Record("c", DONE, {"n": 2, "loss_usd": 0.5, "late": None}),
        ]
    )
    assert frame["n"].to_list() == [1, None, 2]
    assert frame["loss_usd"].to_list() == [1.0, None, 0.5]
    assert frame.schema["n"] == pl.Int64
    assert frame["late"].null_count() == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_failed_write_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=f"cannot write {path}: {os.strerror(number)}; what is"):
        write_whole(path, b"new")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"file": b"old"}


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path):
        raise BlockingIOError
    with locked(tmp_path):
        pass


def test_shards_share_a_folder_but_not_a_shard(tmp_path: Path) -> None:
    with locked(tmp_path, "1-of-2"), locked(tmp_path, "2-of-2"):
        with pytest.raises(ConfigError, match="in use"), locked(tmp_path, "1-of-2"):
            pass
        with pytest.raises(ConfigError, match="in use"), locked(tmp_path):
            pass


def test_events_of_an_earlier_version_are_one_sentence() -> None:
    frames = unpack_frames(pack_events(_tables()))
    frames["counts"] = frames["counts"].drop("fills")
    with pytest.raises(ConfigError, match=r"table 'counts' holds no fills; it was recorded by an"):
        unpack_frames(pack(frames))
    frames.pop("counts")
    with pytest.raises(ConfigError, match="table 'counts' holds no"):
        unpack_tables(pack(frames))
