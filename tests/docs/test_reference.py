"""The pages of reference say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.cli.reference import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_page_is_up_to_date(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")

    assert len(written.splitlines()) > 40
    assert written == pages()[name], "run `make docs`"
