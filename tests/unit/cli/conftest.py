"""One small finished run, made once, copied for tests that spoil it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stresslab.cli import main

CONFIG = Path(__file__).parents[2] / "data" / "two_assets.yaml"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run; not to be changed."""
    folder = tmp_path_factory.mktemp("cli") / "two_assets"
    assert main(["run", str(CONFIG), "--workers", "1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def spoilable(finished: Path, tmp_path: Path) -> Path:
    """Folder of a finished run that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "two_assets"))
