"""Compiled kernels are never older than the sources they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from numba.core import config

from stresslab.core.compile_cache import choose_cache_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    room = tmp_path / "core"
    room.mkdir()
    (room / "kernel.py").write_text("one")
    return tmp_path


def chosen_for(package: Path) -> str:
    choose_cache_folder(package)
    return os.environ["NUMBA_CACHE_DIR"]


def test_the_same_sources_keep_their_folder(package: Path) -> None:
    assert chosen_for(package) == chosen_for(package)


def test_an_edit_of_any_kernel_room_chooses_another_folder(package: Path) -> None:
    before = chosen_for(package)
    (package / "core" / "kernel.py").write_text("other")
    assert chosen_for(package) != before


def test_a_numba_that_was_there_first_follows(package: Path) -> None:
    assert chosen_for(package) == config.CACHE_DIR


def test_a_folder_that_the_user_chose_stays(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/somewhere/else")
    assert chosen_for(package) == "/somewhere/else"


def test_folders_of_long_gone_sources_are_removed(package: Path) -> None:
    for text in "abcdefgh":
        (package / "core" / "kernel.py").write_text(text * 3 + text)
        (package / "core" / "kernel.py").write_text(text + str(ord(text)) * ord(text))
        Path(chosen_for(package)).mkdir(parents=True)
    assert len(list((package / "__pycache__" / "kernels").iterdir())) <= 4
