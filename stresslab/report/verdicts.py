"""The verdicts of validation experiments: as lines, as JSON, as one figure for each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from stresslab.report.axes import head, panels
from stresslab.report.save import METADATA, save
from stresslab.report.style import QUIET, Stroke, strokes, theme
from stresslab.results.files import storage_errors, write_whole
from stresslab.validation.experiment import Size
from stresslab.validation.ladder import Verdict
from stresslab.validation.levels import is_outside, outside_band
from stresslab.validation.verdicts import Check, Panel, Series

_BAND = 0.2  # opacity of an interval
#: A quick figure is looked at; one for the record also goes into papers, which takes twice as long.
_FORMATS = {Size.QUICK: ("png",), Size.FULL: tuple(METADATA)}


def show(verdict: Verdict) -> Iterator[str]:
    """Yield the verdict as lines: measured, expected, tolerance, verdict."""
    result = verdict.result
    told = ("pass" if verdict.passed else "FAIL") if verdict.experiment.is_judged else "report"
    yield f"{verdict.experiment.name}: {told}  ({verdict.seconds:.1f} s) {verdict.experiment.title}"
    for check in verdict.checks:
        yield f"  {'  ' if check.passed else '!!'} {_held(check)}"
    for distance in result.distances:
        yield (
            f"     {distance.what}: {distance.measured:.4g}{_unit(distance.unit)}"
            f"{_between(distance.interval)}, band "
            f"{distance.low:.4g} to {distance.high:.4g}, distance {distance.distance:.2g}"
        )
    if verdict.level:
        yield f"     level: {verdict.level:.2g}, of all seeds {verdict.level_of_all_seeds:.2g}"
        outside, drawn = outside_band(verdict.of_all_seeds)
        yield f"     outside their 99.9 % band: {outside} of {drawn} drawn numbers, all seeds"
        for seed, check in verdict.by_seed:
            if is_outside(check):
                yield f"       {seed}: {_held(check)}, p {check.p:.2g}"
    if verdict.further:
        passed = sum(further.passed for further in verdict.further)
        yield f"     further seeds: {passed} of {len(verdict.further)} pass"
        for seed, check in verdict.by_seed:
            if seed.startswith("further") and not check.passed:
                yield f"  !! {seed}: {_held(check)}"
    if verdict.experiment.is_judged:
        failed = (
            "fails, as it must" if not verdict.control.passed else "PASSES, so nothing is shown"
        )
        yield f"     control ({verdict.experiment.control_is}): {failed}"


def _held(check: Check) -> str:
    """Return what was measured and expected, and the tolerance."""
    return (
        f"{check.what}: {check.measured:.10g}{_unit(check.unit)}, expected "
        f"{check.expected:.10g} ± {check.tolerance:.3g}"
    )


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.4g}, {interval[1]:.4g}]"


def write(verdict: Verdict, folder: Path) -> None:
    """Write ``NAME.json`` and the figure of a verdict with its data into a folder.

    In the quick size the figure is a PNG alone.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(verdict.as_plain(), indent=2) + "\n"
    write_whole(folder / f"{verdict.experiment.name}.json", text.encode())
    if verdict.result.panels:
        frames = {"series": _frame(verdict.result.panels)}
        figure, formats = draw(verdict.result.panels), _FORMATS[verdict.size]
        save(figure, frames, folder, verdict.experiment.name, formats)


def _frame(drawn: Sequence[Panel]) -> pl.DataFrame:
    parts = [_rows(panel.title, series) for panel in drawn for series in panel.series]
    return pl.concat(parts)


def _rows(panel: str, series: Series) -> pl.DataFrame:
    none = [None] * len(series.x)
    return pl.DataFrame(
        {
            "panel": [panel] * len(series.x),
            "series": [series.name] * len(series.x),
            "is_expected": [series.is_expected] * len(series.x),
            "x": [float(x) for x in series.x],
            "y": [float(y) for y in series.y],
            "low": [float(y) for y in series.low] or none,
            "high": [float(y) for y in series.high] or none,
        },
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )


def draw(drawn: Sequence[Panel]) -> Figure:
    """Draw what was measured as dots and what was expected as lines, panel by panel."""
    with theme():
        figure, grid = panels(len(drawn), columns=3, height=2.6)
        for place, (axes, panel) in enumerate(zip(grid, drawn, strict=True)):
            _panel(axes, panel)
            head(axes, place, panel.title)
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    axes.set(xscale=panel.x_scale, yscale=panel.y_scale, xlabel=panel.x_label, ylabel=panel.y_label)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())  # on a short log axis they run into each other
    groups = list(dict.fromkeys(series.name for series in panel.series))
    looks = strokes(groups)
    for series in panel.series:
        _series(axes, series, looks[series.name])
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            _label_short(axis)
    dotted = {series.name for series in panel.series if not series.is_expected}
    handles = [_handle(group, looks[group], group in dotted) for group in groups]
    if any(series.is_expected and series.name in dotted for series in panel.series):
        handles.append(Line2D([], [], color=QUIET, label="expected"))
    axes.legend(handles=handles, fontsize="x-small", frameon=False)


def _handle(name: str, look: Stroke, is_dotted: bool) -> Line2D:
    if not is_dotted:
        return Line2D([], [], color=look.colour, linewidth=1.0, label=name)
    return Line2D([], [], color=look.colour, marker=look.marker, ls="", ms=4, label=name)


def _series(axes: Axes, series: Series, look: Stroke) -> None:
    if series.low and series.has_bars:
        axes.vlines(series.x, series.low, series.high, color=look.colour, linewidth=0.8)
    elif series.low:
        axes.fill_between(series.x, series.low, series.high, color=look.colour, alpha=_BAND, lw=0)
    if series.is_expected:
        axes.plot(series.x, series.y, color=look.colour, linewidth=1.0)
    else:
        axes.plot(series.x, series.y, color=look.colour, marker=look.marker, ls="", markersize=3.5)


def _label_short(axis: Axis) -> None:
    """Label 2 and 5 too on a log axis that would tell fewer than two powers of ten."""
    low, high = sorted(axis.get_view_interval())
    powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    if powers < 2:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
