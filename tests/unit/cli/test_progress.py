"""What a run shows while it works."""

from __future__ import annotations

import time

import pytest

from stresslab.cli.progress import FEWEST, BarProgress, PlainProgress, progress

Captured = pytest.CaptureFixture[str]


def test_plain_lines_come_even_while_no_cell_finishes(capsys: Captured) -> None:
    with PlainProgress(seconds=0.01) as shown:
        shown.begin(total=8, finished=0)
        deadline = time.monotonic() + 10
        lines: list[str] = []
        while len(lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
            lines += capsys.readouterr().out.splitlines()

    assert len(lines) >= 2
    assert lines[0].startswith("0 of 8 cells after ")


def test_plain_lines_count_what_was_finished_before(capsys: Captured) -> None:
    with PlainProgress() as shown:
        shown.begin(total=8, finished=5)
        shown.cell(failed=True)
        shown.note("a.json is damaged")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["5 of 8 cells were finished before", "a.json is damaged"]
    assert lines[2].startswith("6 of 8 cells after 0 s, 1 failed")


@pytest.mark.parametrize("kind", [PlainProgress, BarProgress])
def test_a_study_that_grows_begins_again(kind, capsys: Captured) -> None:
    """Bisection adds a size to the study and runs it anew, under the same progress."""
    with kind() as shown:
        for total in (1, 2):
            shown.begin(total=total, finished=total - 1)
            shown.cell(failed=False)
        assert shown.text().startswith("2 of 2 cells")


def test_the_rest_is_estimated_from_what_came_after_the_first_new_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first took 40 s, for it compiled; then came two cells a second."""
    clock = [0.0]
    monkeypatch.setattr(PlainProgress, "_now", staticmethod(lambda: clock[0]))
    shown = PlainProgress(seconds=1000)
    with shown:
        shown.begin(total=100, finished=50)
        clock[0] = 40.0
        shown.cell(failed=False)
        assert shown.text() == "51 of 100 cells after 40 s"
        for _ in range(FEWEST):
            assert "left" not in shown.text()
            clock[0] += 0.5
            shown.cell(failed=False)
        assert shown.text() == "59 of 100 cells after 44 s, about 20 s left"
        for _ in range(41):
            shown.cell(failed=False)
        assert shown.text() == "100 of 100 cells after 44 s"


def test_a_bar_takes_the_same_calls(capsys: Captured) -> None:
    with BarProgress() as shown:
        shown.begin(total=2, finished=0)
        shown.cell(failed=False)
        shown.cell(failed=True)
        shown.note("cell [b] died")

    assert "cell [b] died" in capsys.readouterr().out
    assert (shown.done, shown.failed) == (2, 1)


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(progress(), PlainProgress)
