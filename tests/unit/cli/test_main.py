"""Errors become one message and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import click
import pytest

from stresslab.cli import commands, main
from stresslab.core.errors import (
    ConfigError,
    DamagedResultsError,
    InvariantError,
    StorageError,
    StresslabError,
)

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def failing() -> Iterator[dict[str, BaseException]]:
    """Offer a command ``fail`` that raises what a test puts here."""
    how: dict[str, BaseException] = {}

    @commands.command()
    def fail() -> NoReturn:
        raise how["error"]

    yield how
    del commands.commands["fail"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("leverage: 500 is outside [1, 125] x"), 2),
        (DamagedResultsError("outcomes/a.json is damaged"), 3),
        (StorageError("cannot write runs/demo: No space left on device"), 1),
        (InvariantError("step 3: pool 7 lost 1 micro-USD"), 1),
        (StresslabError("something else"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_deliberate_errors_are_one_message(
    failing: dict[str, BaseException], error: StresslabError, code: int, capsys: Captured
) -> None:
    failing["error"] = error

    assert main(["fail"]) == code

    assert capsys.readouterr().err == f"{error}\n"


def test_unexpected_errors_say_how_to_get_the_traceback(
    failing: dict[str, BaseException], capsys: Captured
) -> None:
    failing["error"] = ZeroDivisionError("division by zero")

    assert main(["fail"]) == 1

    said = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: division by zero" in said
    assert "stresslab --debug fail" in said
    assert "Traceback" not in said


def test_debug_shows_the_traceback(failing: dict[str, BaseException]) -> None:
    failing["error"] = ZeroDivisionError("division by zero")

    with pytest.raises(ZeroDivisionError):
        main(["--debug", "fail"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["key", "abort"])
def test_interruption_is_exit_code_130(
    failing: dict[str, BaseException], error: BaseException, capsys: Captured
) -> None:
    failing["error"] = error

    assert main(["fail"]) == 130

    assert "the same command goes on" in capsys.readouterr().err
