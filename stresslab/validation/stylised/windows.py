"""Measures the same statistics on windows of recorded bars that are as long as one run.

``python -m stresslab.validation.stylised.windows FOLDER`` reads the five files of one-minute bars
named below from a folder and prints the rows of ``data/stylised_facts.csv`` that they decide:
2.5 %, 50 % and 97.5 % quantiles over windows side by side. Bars that nobody traded in are filled
with the last close, and no volume.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from stresslab.validation.stylised.moments import NAMES, longer, moments

FILES = tuple(
    f"{name}.csv.gz"
    for name in ("bitfinex_btcusd_1m_2018-11", "bitfinex_btcusd_1m_2019-09",
                 "bitfinex_ethusd_1m_2018-11", "bitfinex_ethusd_1m_2019-09",
                 "btc_perp_1m_2022-01")
)  # fmt: skip
BARS = 2880  # minutes of a window: two days, as of a run
_MINUTE = 60
_QUANTILES = (0.025, 0.5, 0.975)


def bars(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return log returns and volumes of every minute from the first bar of a file to its last."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        rows = [
            (int(row["open_time"]), float(row["close"]), float(row["volume"]))
            for row in csv.DictReader(stream)
        ]
    time, close, traded = (np.array(column) for column in zip(*rows, strict=True))
    minute = (time - time[0]) // _MINUTE
    last = np.searchsorted(minute, np.arange(minute[-1] + 1), side="right") - 1
    volume = np.zeros(last.size)
    volume[minute] = traded
    return np.diff(np.log(close[last])), volume[1:]


def windows(file: Path, minutes: int) -> Iterator[Mapping[str, float]]:
    """Yield the statistics of each window of a file, in bars of so many minutes."""
    returns, volume = bars(file)
    for first in range(0, returns.size - BARS + 1, BARS):
        chosen = (column[None, first : first + BARS] for column in (returns, volume))
        yield moments(*(longer(column, minutes) for column in chosen))


def main(folder: str) -> None:
    """Print statistic, minutes and the three quantiles."""
    for minutes in (1, 5):
        found = [each for name in FILES for each in windows(Path(folder) / name, minutes)]
        print(f"{len(found)} windows, bars of {minutes} min", file=sys.stderr)
        for name in NAMES:
            values = np.quantile([each[name] for each in found], _QUANTILES)
            print(f'"{name}",{minutes},' + ",".join(f"{value:.4g}" for value in values))


if __name__ == "__main__":
    main(sys.argv[1])
