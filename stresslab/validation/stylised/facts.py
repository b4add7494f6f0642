"""The statistics of crypto returns as they were measured, with the bands of distances."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parents[1] / "data" / "stylised_facts.csv"


class Fact(NamedTuple):
    """One statistic of bars of one length."""

    name: str  # as in ``moments.NAMES``
    minutes: int  # length of a bar
    low: float  # smallest and largest over nine series of a month to a year
    high: float
    window_low: float  # 2.5 %, 50 % and 97.5 % quantile over windows as long as one run
    window_median: float
    window_high: float
    use: str  # seen while the mix was put together, or predicted


@cache
def facts() -> tuple[Fact, ...]:
    """Return the facts in the order of the table: by length of the bars, then by name."""
    with _FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_fact(row) for row in csv.DictReader(file))


def _fact(row: dict[str, str]) -> Fact:
    low, high, *window = (
        float(row[name]) for name in ("low", "high", "window_low", "window_median", "window_high")
    )
    least, median, most = window
    return Fact(row["statistic"], int(row["minutes"]), low, high, least, median, most, row["use"])
