"""The headline on the screen: what was asked and nothing that is empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from stresslab.analysis.headline import CROSSED, SHARE
from stresslab.cli import headline
from stresslab.cli.headline import show_headlines

HEDGER, PASSIVE = '{"kind":"hedger","tolerance":0.05}', '{"kind":"passive"}'


class Finished:
    """A run of one design with two points."""

    path = Path("runs/tiny")
    study: ClassVar = {"designs": {"tiny": {"title": "Hedgers"}}}

    def headline(self) -> dict[str, pl.DataFrame]:
        rows: list[tuple[Any, ...]] = [
            ("tiny", HEDGER, SHARE, "cross", 0.125, 0.1, 0.15, 3),
            ("tiny", HEDGER, CROSSED, "cross", 0.5, 0.25, 0.75, 3),
            ("tiny", HEDGER, "difference", "cross - isolated", -0.1, -0.2, 0.05, 3),
            ("tiny", PASSIVE, SHARE, "cross", 0.25, 0.2, 0.3, 3),
            ("tiny", PASSIVE, "difference", "cross - isolated", 0.04, 0.01, 0.06, 3),
            ("tiny", PASSIVE, CROSSED, "cross", None, None, None, 0),
        ]
        names = ["design", "strategy", "quantity", "of", "mid", "low", "high", "n"]
        return {"tiny": pl.DataFrame(rows, schema=names, orient="row")}


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    show_headlines(Finished())  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_parts_are_named_by_what_tells_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert "hedger   12.5 % [10.0, 15.0]" in text
    assert "kind" not in text


def test_differences_have_a_sign_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert "−10.0 % [−20.0, +5.0]" in text
    assert "+4.0 % [+1.0, +6.0]" in text  # three signs make no list of assets


def test_a_point_where_nothing_could_cross_has_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, crossing = shown(capsys).partition("reached an unshocked asset")
    assert "50.0 % [25.0, 75.0]" in crossing
    assert "passive" not in crossing


def test_a_large_design_is_left_to_its_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headline, "MOST_POINTS", 1)
    text = shown(capsys)
    assert "2 points: see the figures and runs/tiny/tables" in text
    assert "12.5 %" not in text
