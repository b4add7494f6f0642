"""Recorded bars of a price series, read from a CSV file and refused when they are not in order."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path
from typing import Any

from stresslab.core.errors import ConfigError

Bar = tuple[int, float, float, float, float]  # open_time (s), open, high, low, close


def read_bars(path: Path, bar_seconds: float) -> list[Bar]:
    """Read bars (open_time, open, high, low, close) and refuse disorder and holes.

    Raises
    ------
    ConfigError
        When the file is no CSV, a row is not numbers, out of order or off the bar length, or high
        and low do not hold open and close.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path.name}: cannot be read as CSV: {error}") from error
    bars: list[Bar] = []
    for line, row in enumerate(rows, start=2):
        try:
            bar = (
                int(row["open_time"]),
                *(float(row[name]) for name in ("open", "high", "low", "close")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{path.name}:{line}: a bar needs numbers in open_time, open, high, low, close"
            ) from error
        _check_bar(path, line, bar, bars[-1][0] if bars else None, bar_seconds)
        bars.append(bar)  # type: ignore[arg-type]
    if not bars:
        raise ConfigError(f"{path.name}: holds no bars")
    return bars


def _check_bar(path: Path, line: int, bar: Any, before: int | None, bar_seconds: float) -> None:
    time, opening, high, low, close = bar
    if before is not None and time - before != bar_seconds:
        what = "out of order" if time <= before else "a hole"
        raise ConfigError(
            f"{path.name}:{line}: {what}: open_time {time} follows {before}; bars must be "
            f"{bar_seconds:g} s apart"
        )
    if not (0 < low <= min(opening, close) and max(opening, close) <= high < math.inf):
        raise ConfigError(
            f"{path.name}:{line}: low {low:g}, high {high:g} USD do not hold open {opening:g} and "
            f"close {close:g} USD, all above 0"
        )
