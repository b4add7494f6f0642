"""Predicted against simulated cascades: the same people, replicate by replicate.

The simulation is a sweep of shock sizes through the ordinary runner, so that it goes on where it
stopped and keeps what it has.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from stresslab.experiment.progress import Progress, Silent
from stresslab.experiment.runner import Options, run_study
from stresslab.results.records import DONE
from stresslab.results.run import Run
from stresslab.validation.criticality.forecast import RUNAWAY, critical_shock, predict
from stresslab.validation.criticality.sweep import Sweep

#: Outcomes that are predicted; the measures of the same names.
COMPARED = ("forced_notional_usd", "share_accounts_liquidated", "price_fall")

#: (size, replicate) -> outcomes.
Observed = dict[tuple[float, int], dict[str, float]]


@dataclass(frozen=True)
class Comparison:
    """Predicted and observed by size and replicate."""

    rows: list[dict[str, float | int]]  # size, replicate, predicted_*, observed_*
    observed: list[float]  # critical shock of each replicate, infinite if there is none


def compare(
    sweep: Sweep,
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    tolerance: float | None = None,
) -> Comparison:
    """Simulate the sweep and hold every replicate against what theory expects of it.

    Parameters
    ----------
    tolerance
        If given, sizes are added by bisection until the critical shock of the median replicate is
        known to this.
    """
    sizes = sorted(sweep.sizes)
    options = Options(workers=workers, progress=progress or Silent())
    run = run_study(sweep.study(sizes), out, options)
    while (
        tolerance is not None
        and (middle := next_size(_outcomes(run), sizes, tolerance)) is not None
    ):
        sizes = sorted([*sizes, middle])
        run = run_study(sweep.study(sizes), run.path, options)
    return _held_against(sweep, sizes, _outcomes(run))


def _held_against(sweep: Sweep, sizes: list[float], outcomes: Observed) -> Comparison:
    rows: list[dict[str, float | int]] = []
    observed = []
    for replicate in range(sweep.replicates):
        venue = sweep.venue(replicate)
        expected = predict(venue, sweep.shocked, sizes)._asdict()
        mine = {size: outcomes[size, replicate] for size in sizes if (size, replicate) in outcomes}
        rows += [
            _row(replicate, size, {name: expected[name][place] for name in COMPARED}, mine[size])
            for place, size in enumerate(sizes)
            if size in mine
        ]
        observed.append(critical_shock(list(mine), [row["overshoot"] for row in mine.values()]))
    return Comparison(rows, observed)


def _row(
    replicate: int, size: float, expected: dict[str, float], found: dict[str, float]
) -> dict[str, float | int]:
    return {
        "size": size,
        "replicate": replicate,
        **{f"predicted_{name}": float(expected[name]) for name in COMPARED},
        **{f"observed_{name}": float(found[name]) for name in COMPARED},
    }


def next_size(outcomes: Observed, sizes: list[float], tolerance: float) -> float | None:
    """Return the size to try next, or None when the critical one is known well enough.

    The size is critical for the median replicate if half of them run away.
    """
    below = {size: [row["overshoot"] for (s, _), row in outcomes.items() if s == size]
             for size in sizes}  # fmt: skip
    critical = [s for s in sizes if below[s] and float(np.median(below[s])) > RUNAWAY]
    if not critical:
        return None
    high = min(critical)
    low = max([size for size in sizes if size < high], default=0.0)
    return (low + high) / 2 if high - low > tolerance else None


def _outcomes(run: Run) -> Observed:
    """Return outcomes of finished cells by size and replicate."""
    rows = run.outcomes.filter(status=DONE).select("fall", "replicate", "overshoot", *COMPARED)
    return {(row.pop("fall"), row.pop("replicate")): row for row in rows.iter_rows(named=True)}
