"""Drawing estimates over the points of any design: lines over a number, or rows of points."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from stresslab.report.axes import (
    from_zero,
    head,
    interval_lines,
    line_marks,
    note,
    panels,
    series_legend,
)
from stresslab.report.chart import Labels
from stresslab.report.labels import FRACTION, Label, show_unit
from stresslab.report.style import Stroke

_MOST_TICKS = 8  # values that get a tick each
_LEAST_FACTOR = 1.5  # a number that grows by such factors is drawn by factors
_TITLE = 26  # letters in a line of a panel's title


@dataclass(frozen=True)
class _Panel:
    """What one panel shows: its rows, those that share its scale, and in which words."""

    part: pl.DataFrame
    scale: pl.DataFrame
    looks: dict[str, Stroke]
    outcome: Label
    series: str

    @property
    def differs(self) -> bool:
        """Tell whether values are differences: what matters is on which side of zero they are."""
        return self.series == "contrast"

    def rows(self, *columns: str) -> list[tuple]:
        return self.part.select(self.series, "mid", "low", "high", *columns).rows()


def draw_points(
    frame: pl.DataFrame, labels: Labels, looks: dict[str, Stroke], *, series: str = "arm"
) -> Figure:
    """Draw a panel per title, outcome and factor; see ``figures/design.py`` for the columns.

    ``series`` is the column whose values ``looks`` names: arms, or contrasts between them.
    """
    places = frame.select("panel", "outcome", "factor").unique(maintain_order=True).rows()
    factors = frame["factor"].unique(maintain_order=True).to_list()
    outcomes = [part["outcome"].n_unique() for _, part in frame.group_by("panel")]
    columns = min(max(len(factors), *outcomes), 3)
    figure, grid = panels(len(places), columns=columns, height=_height(frame, looks))
    for place, (axes, (panel, outcome, factor)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(panel=panel, outcome=outcome, factor=factor)
        scale = frame.filter(pattern=part["pattern"][0], outcome=outcome)
        shown = _Panel(part, scale, looks, labels[outcome], series)
        if factor:
            _over_number(axes, shown, labels[factor], joined=len(factors) == 1)
        else:
            _in_rows(axes, shown, named=place % columns == 0)
        head(axes, place, textwrap.fill(panel, _TITLE))
    if factors[0] and len(factors) == 1:
        figure.supxlabel(str(labels[factors[0]]))
    series_legend(figure, looks)
    return figure


def _height(frame: pl.DataFrame, looks: dict[str, Stroke]) -> float:
    """Return inches of a panel: rows take as many as they hold arms or lines of text."""
    if frame["factor"][0]:
        return 2.1
    lines = frame["row"].str.count_matches("\n").max()
    a_row = max(0.13 * (len(looks) + 1), 0.11 * (int(str(lines)) + 2))
    return 0.75 + a_row * frame["row"].n_unique()


def _over_number(axes: Axes, panel: _Panel, factor: Label, *, joined: bool) -> None:
    if joined:
        interval_lines(axes, panel.part, panel.series, panel.looks)
    else:
        _scattered(axes, panel)
    if panel.differs:
        axes.axhline(0, color="black", linewidth=0.7)
    else:
        from_zero(axes, panel.part, panel.scale)
    _number_axis(axes, panel.part["x"].unique().sort().to_list(), factor)
    axes.set(xlabel="" if joined else factor.wrapped(34), ylabel=panel.outcome.wrapped())
    show_unit(axes.xaxis, factor.unit)
    show_unit(axes.yaxis, panel.outcome.unit)


def _scattered(axes: Axes, panel: _Panel) -> None:
    """Draw single points with bars: points that differ in more than ``x`` are no line."""
    for name, mid, low, high, x in panel.rows("x"):
        stroke = panel.looks[name]
        if low is not None:
            axes.vlines(x, low, high, colors=stroke.colour, linewidth=0.9, alpha=0.6)
        if mid is not None:
            axes.plot(x, mid, **line_marks(stroke) | {"linestyle": "", "markersize": 4.0})


def _number_axis(axes: Axes, values: list[float], factor: Label) -> None:
    """Give a tick to each of few values; numbers that grow by factors stand at equal distances."""
    steps = [b / a for a, b in pairwise(values) if a > 0]
    grows = len(steps) == len(values) - 1 and min(steps, default=0.0) >= _LEAST_FACTOR
    if grows and factor.unit != FRACTION:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if len(values) <= _MOST_TICKS:
        axes.set_xticks(values)


def _in_rows(axes: Axes, panel: _Panel, *, named: bool) -> None:
    rows = panel.part["row"].unique(maintain_order=True).to_list()
    names = list(panel.looks)
    shift = 0.7 / len(names)
    for name, mid, low, high, row in panel.rows("row"):
        y = rows.index(row) + shift * (names.index(name) - (len(names) - 1) / 2)
        stroke = panel.looks[name]
        if low is not None:
            axes.hlines(y, low, high, colors=stroke.colour, linewidth=1.2)
        if mid is not None:
            axes.plot(mid, y, **line_marks(stroke) | {"linestyle": "", "markersize": 4.5})
    _from_zero_sideways(axes, panel)
    ticks = range(len(rows)) if rows != [""] else []
    axes.set_yticks(ticks, [row if named else "" for row in rows][: len(ticks)])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for between in range(1, len(rows)):
        axes.axhline(between - 0.5, color="#E4E4E4", linewidth=0.5, zorder=0)
    axes.set(xlabel=panel.outcome.wrapped(34), ylabel="")
    show_unit(axes.xaxis, panel.outcome.unit)


def _from_zero_sideways(axes: Axes, panel: _Panel) -> None:
    columns = (panel.scale[c].drop_nulls().drop_nans() for c in ("mid", "low", "high"))
    ends = [value for column in columns for value in column]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if low == high:
        note(axes, "zero in every run" if ends else "no values")
        high = 1.0
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlim(low - 0.04 * (high - low), high + 0.06 * (high - low))
    axes.axvline(0, color="black", linewidth=0.7 if panel.differs else 0.0)
