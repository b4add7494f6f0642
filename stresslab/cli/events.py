"""A command for streams of real event times."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click

from stresslab.core.errors import ConfigError


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

    times = np.array(_times(Path(file), column))
    fit = fit_hawkes(times, step)
    spread = count_spread(times, window or float(np.ptp(times)) / 50.5)
    if as_json:
        told = {"events": times.size, "likelihood": fit._asdict(), "counts": spread._asdict()}
        click.echo(json.dumps(told))
        return 0
    click.echo(f"events                      {times.size:,} in {np.ptp(times):,.6g} s")
    click.echo(f"branching ratio, likelihood {fit.ratio:.3f}  ({fit.low:.3f} to {fit.high:.3f})")
    click.echo(f"  without a parent          {fit.baseline:.4g} a second")
    click.echo(f"  decay of the kernel       {fit.decay:.4g} a second")
    click.echo(
        f"branching ratio, counts     {spread.ratio:.3f}  ({spread.low:.3f} to {spread.high:.3f})"
    )
    click.echo(f"  variance over mean        {spread.fano:.4g} in {spread.windows} windows")
    return 0


def _times(file: Path, column: str | None) -> list[float]:
    """Return the times of a CSV file; a first line that is no number names the columns."""
    try:
        rows = [row for row in csv.reader(file.read_text().splitlines()) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as text: {error}") from error
    names = [] if not rows or _is_number(rows[0][0]) else rows.pop(0)
    if column is not None and column not in names:
        raise ConfigError(f"{file}: has no column {column!r}; known are {', '.join(names) or '-'}")
    place = names.index(column) if column is not None else 0
    for number, row in enumerate(rows, start=1 + bool(names)):
        if len(row) <= place or not _is_number(row[place]):
            raise ConfigError(f"{file}:{number}: expected a time in seconds, found {row!r}")
    return [float(row[place]) for row in rows]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
