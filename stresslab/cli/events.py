"""A command for streams of real event times."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stresslab.core.errors import ConfigError, StresslabError

if TYPE_CHECKING:
    from stresslab.contagion.hawkes import FanoFactor, HawkesFit


@click.command(short_help="Estimate how many events of a stream are caused by others.")
@click.argument("file", type=click.Path(), metavar="TIMES.csv")
@click.option("--column", help="Column of the times, in seconds; default is the first.")
@click.option("--window", type=float, help="Seconds of a window of counts; default: 50 windows.")
@click.option("--step", type=float, default=0.0, help="Seconds of a step, if events come in steps.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def hawkes(file: str, column: str | None, window: float | None, step: float, as_json: bool) -> int:
    """Estimate the branching ratio of events, such as liquidations, from their times.

    Twice: by the likelihood of a Hawkes process with an exponential kernel, and by the spread of
    counts in windows, 1 - 1 / sqrt(variance / mean), which needs windows much longer than a
    cascade. Intervals are of 95 %.

    Where events come in steps, none causes another in its own step; times of steps that are read as
    exact overstate the ratio.

    \b
    Example:
      stresslab hawkes liquidations.csv --column seconds --window 600
    """
    import numpy as np

    from stresslab.contagion.hawkes import count_spread, fit_hawkes

    read, named = _times(Path(file), column)
    times = np.array(read)
    try:
        fit = fit_hawkes(times, step)
        span = float(np.ptp(times))
        spread = count_spread(times, span / 50.5 if window is None else window)
    except StresslabError as error:
        raise ConfigError(f"{file}{named}: {error}") from error
    if as_json:
        told = {"events": times.size, "likelihood": _finite(fit), "counts": _finite(spread)}
        click.echo(json.dumps(told))
        return 0
    click.echo(f"events                      {times.size:,} in {span:,.6g} s{named}")
    click.echo(f"branching ratio, likelihood {_with_interval(fit)}")
    click.echo(f"  without a parent          {fit.baseline:.4g} a second")
    click.echo(f"  decay of the kernel       {fit.decay:.4g} a second")
    click.echo(f"branching ratio, counts     {_with_interval(spread)}")
    click.echo(f"  variance over mean        {spread.fano:.4g} in {spread.windows} windows")
    return 0


def _with_interval(estimate: HawkesFit | FanoFactor) -> str:
    if not math.isfinite(estimate.ratio):
        return "none: there are as many events in each window"
    return f"{estimate.ratio:.3f}  ({estimate.low:.3f} to {estimate.high:.3f})"


def _finite(estimate: HawkesFit | FanoFactor) -> dict[str, float | None]:
    """Return an estimate for JSON, which knows no infinity."""
    numbers = estimate._asdict().items()
    return {name: value if math.isfinite(value) else None for name, value in numbers}


def _times(file: Path, column: str | None) -> tuple[list[float], str]:
    """Return the times of a CSV file, and their column in words.

    A first line that is no number names the columns.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as text: {error}") from error
    names = [] if not rows or _is_number(rows[0][0]) else rows.pop(0)
    if column is not None and column not in names:
        raise ConfigError(f"{file}: has no column {column!r}; known are {', '.join(names) or '-'}")
    place = names.index(column) if column is not None else 0
    for number, row in enumerate(rows, start=1 + bool(names)):
        if len(row) <= place or not _is_number(row[place]):
            raise ConfigError(f"{file}:{number}: expected a time in seconds, found {row!r}")
    return [float(row[place]) for row in rows], f", column {names[place]!r}" if names else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
