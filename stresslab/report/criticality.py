"""Predicted against simulated cascades: as lines, as JSON, as one figure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.analysis import intervals
from stresslab.contagion.measures import MEASURES
from stresslab.report.axes import head, legend_above, panels
from stresslab.report.labels import FRACTION, Label, number, show_unit
from stresslab.report.save import save
from stresslab.report.style import QUIET, Stroke, strokes, theme
from stresslab.results.files import storage_errors, write_whole
from stresslab.validation.criticality import Comparison, Forecast, Sweep
from stresslab.validation.criticality.comparison import COMPARED
from stresslab.validation.criticality.forecast import RUNAWAY

NAME = "criticality"
MOST_ENTRIES = 8  # of the matrix, in the lines
_TOLD_MOVES = (-0.4, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.4)
_FORMS = {"forced_notional_usd": "USD"}  # the other outcomes are fractions


def plain(sweep: Sweep, ahead: Forecast, found: Comparison | None) -> dict[str, Any]:
    """Return everything as plain values for JSON; what is beyond all sizes is null."""
    n = sweep.replicates
    told: dict[str, Any] = {
        "name": sweep.config.name,
        "shocked": sweep.shock["assets"],
        "over_seconds": sweep.shock["over_seconds"],
        "types": ahead.types,
        "liquidation_map": {
            "moves": list(ahead.moves),
            "notional_usd": {name: rows.tolist() for name, rows in ahead.map_usd.items()},
        },
        "next_generation_matrix": ahead.matrix.tolist(),
        "spectral_radius": ahead.radius,
        "spectral_radius_within_step": ahead.radius_within_step,
        "spectral_radius_after": [[size, radius] for size, radius in ahead.radii.items()],
        "spectral_radius_over_replicates": intervals.student(ahead.radius_each)._asdict(),
        "two_ends_at": list(ahead.bistable),
        "two_ends_over_replicates": [
            {"size": size, "replicates": found, **intervals.wilson(found, n)._asdict()}
            for size, found in ahead.two_ends.items()
        ],
        "critical_shock": {"predicted": _median(ahead.critical)},
    }
    if found is not None:
        told["critical_shock"]["observed"] = _median(found.observed)
        told["cascades"] = found.rows
    return told


def _median(shocks: Sequence[float]) -> dict[str, Any]:
    found = intervals.median(list(shocks))
    each = [None if math.isinf(shock) else shock for shock in shocks]
    return {**found._asdict(), "by_replicate": each}


def show(sweep: Sweep, ahead: Forecast, found: Comparison | None) -> Iterator[str]:
    """Yield what a reader wants first: map, matrix, radius, critical shock, comparison."""
    over = sweep.shock["over_seconds"]
    when = f"over {over:g} s" if over else "in one step"
    yield f"{sweep.config.name}: {', '.join(sweep.shock['assets'])} fall {when}; replicate 0 first"
    yield from _map_lines(ahead)
    yield f"spectral radius before the shock  {ahead.radius:.3f}{_mean_of(ahead.radius_each)}"
    yield f"  the same where books do not recover  {ahead.radius_within_step:.3f}"
    after = ", ".join(f"{radius:.3f} at {size:g}" for size, radius in ahead.radii.items())
    yield f"  at rest after a shock  {after}"
    yield from _matrix_lines(ahead)
    if any(ahead.two_ends.values()):
        sizes = ", ".join(f"{size:g} ({n})" for size, n in ahead.two_ends.items() if n)
        yield f"two ends where books do not recover, at shocks of (replicates)  {sizes}"
    what = f"critical shock (a mark {100 * RUNAWAY:g} % below its index)"
    yield f"{what}: predicted {_in_words(ahead.critical)}"
    if found is not None:
        yield f"{what}: observed  {_in_words(found.observed)}"
        yield from _row_lines(summary(found))


def _mean_of(values: Sequence[float]) -> str:
    found = intervals.student(values)
    if found.low is None or found.high is None:
        return ""
    return f"; mean {found.mid:.3f} [{found.low:.3f}, {found.high:.3f}] of {len(values)} replicates"


def _in_words(shocks: Sequence[float]) -> str:
    found = intervals.median(list(shocks))
    if found.mid is None:
        return f"none in {len(shocks)} replicates"
    ends = "" if found.low is None or found.high is None else f" [{found.low:g}, {found.high:g}]"
    return f"{found.mid:g}{ends}, median of {len(shocks)} replicates"


def _map_lines(ahead: Forecast) -> Iterator[str]:
    places = [ahead.moves.index(move) for move in _TOLD_MOVES]
    yield "liquidation map: USD to be closed when one mark moves alone"
    yield "  " + " " * 10 + "".join(f"{move:>+10.0%}" for move in _TOLD_MOVES)
    for name, rows in ahead.map_usd.items():
        sums = [number(float(rows[place].sum()), "USD") for place in places]
        yield f"  {name:<10}" + "".join(f"{text:>10}" for text in sums)


def _matrix_lines(ahead: Forecast) -> Iterator[str]:
    """Yield the largest entries; rows of the two modes of a cause are the same."""
    rows, columns = np.nonzero(ahead.matrix > 0)
    is_first = np.array([ahead.types[row].endswith("isolated") for row in rows], dtype=bool)
    entries = sorted(
        ((float(ahead.matrix[r, c]), int(r), int(c))
         for r, c in zip(rows[is_first], columns[is_first], strict=True)),
        reverse=True,
    )[:MOST_ENTRIES]  # fmt: skip
    if entries:
        yield "next-generation matrix, largest entries: USD closed per USD closed"
    for value, row, column in entries:
        cause = ahead.types[row].removesuffix(" isolated")
        yield f"  {cause:<16} -> {ahead.types[column]:<24} {value:8.3f}"


def _row_lines(frame: pl.DataFrame) -> Iterator[str]:
    for name in COMPARED:
        form = _FORMS.get(name, FRACTION)
        yield f"{MEASURES[name].description}{' (%)' if form == FRACTION else ' (USD)'}"
        for row in frame.filter(outcome=name).iter_rows(named=True):
            mid, low, high = (
                "-" if row[key] is None else number(row[key], form)
                for key in ("observed", "low", "high")
            )
            yield (
                f"  shock {row['size']:<6g} predicted {number(row['predicted'], form):>9}"
                f"  observed {mid:>9} [{low}, {high}]"
            )


def summary(found: Comparison) -> pl.DataFrame:
    """Return means over replicates by outcome and size, observed with Student's interval."""
    rows = []
    for name in COMPARED:
        for size in sorted({row["size"] for row in found.rows}):
            here = [row for row in found.rows if row["size"] == size]
            seen = intervals.student([float(row[f"observed_{name}"]) for row in here])
            expected = intervals.mean([float(row[f"predicted_{name}"]) for row in here])
            rows.append((name, float(size), len(here), expected, seen.mid, seen.low, seen.high))
    schema = ("outcome", "size", "n", "predicted", "observed", "low", "high")
    types = (pl.String, pl.Float64, pl.Int64, *[pl.Float64] * 4)
    return pl.DataFrame(rows, dict(zip(schema, types, strict=True)), orient="row")


def write(folder: Path, told: dict[str, Any], found: Comparison | None) -> None:
    """Write ``criticality.json`` and the figure with its numbers.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{NAME}.json", (json.dumps(told, indent=1) + "\n").encode())
    if found is not None and found.rows:
        frame = summary(found)
        save(draw(frame), {"cascades": frame}, folder, NAME)


def draw(frame: pl.DataFrame) -> Figure:
    """Draw predicted against observed, a panel per outcome, with the line where they agree.

    ``frame``: outcome, size (fall of the index), predicted, observed, low, high.
    """
    with theme():
        names = frame["outcome"].unique(maintain_order=True).to_list()
        looks = strokes(f"{size:.3g}" for size in frame["size"].unique(maintain_order=True))
        figure, grid = panels(len(names), columns=3, height=2.4)
        for place, (axes, name) in enumerate(zip(grid, names, strict=True)):
            _panel(axes, frame.filter(outcome=name), looks)
            head(axes, place, MEASURES[name].description)
            unit = _FORMS.get(name, FRACTION)
            for axis in (axes.xaxis, axes.yaxis):
                show_unit(axis, unit)
            axes.set(xlabel=str(Label("predicted", unit)), ylabel=str(Label("observed", unit)))
        handles = [
            grid[0].plot([], [], ls="", marker=look.marker, color=look.colour,
                         label=f"{100 * float(size):g} %")[0]
            for size, look in looks.items()
        ]  # fmt: skip
        legend_above(figure, handles, "Shock")
    return figure


def _panel(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    values = [v for c in ("predicted", "observed", "high") for v in part[c].to_list() if v]
    top = 1.06 * max(values, default=1.0)
    axes.plot([0, top], [0, top], color=QUIET, linewidth=0.8, zorder=1)
    for row in part.iter_rows(named=True):
        look = looks[f"{row['size']:.3g}"]
        if row["low"] is not None:
            axes.vlines(row["predicted"], max(row["low"], 0), row["high"], colors=look.colour,
                        linewidth=0.9)  # fmt: skip
        axes.plot(row["predicted"], row["observed"], ls="", marker=look.marker, color=look.colour,
                  markersize=5, markeredgecolor="white", markeredgewidth=0.4)  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set_box_aspect(1)
