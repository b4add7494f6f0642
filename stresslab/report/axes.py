"""Drawing that several charts share: panels, interval lines, one legend for all panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.report.labels import short
from stresslab.report.style import PAGE, PAGE_HEIGHT, QUIET, Stroke

#: Opacity of an interval band: four on top of each other still show the grid.
BAND = 0.16

#: Inches that an entry of a legend takes: a letter, its line with gaps, a row.
_LETTER, _HANDLE, _LEGEND_ROW = 0.058, 0.58, 0.16

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def panels(n: int, columns: int, height: float = 2.1, **kwargs: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure across the page with ``n`` panels, row by row, and no empty axes."""
    columns = min(n, columns)
    rows = -(-n // columns)
    size = (PAGE if columns > 1 else PAGE * 0.6, min(rows * height + 0.15, PAGE_HEIGHT))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, **kwargs).ravel()
    for spare in grid[n:]:
        spare.remove()
    for last in grid[max(n - columns, 0) : n]:
        last.tick_params(labelbottom=True)  # also above a place that stays empty
    return figure, list(grid[:n])


def head(axes: Axes, place: int, title: str) -> None:
    """Title a panel with its letter, so that a text can point at it."""
    axes.set_title(f"{_LETTERS[place % 26]}  {title}".rstrip())


def interval_lines(
    axes: Axes, frame: pl.DataFrame, series: str, strokes: Mapping[str, Stroke]
) -> None:
    """Draw ``mid`` against ``x`` with a band from ``low`` to ``high`` for each name in ``series``.

    Bands come first and lines after, widest first, so that no band covers a line and equal lines
    show as one outlined in the other's colour.
    """
    parts = {n: frame.filter(pl.col(series) == n).sort("x") for n in strokes}
    shown = {n: part for n, part in parts.items() if part.height}
    opacity = min(BAND, 0.6 / max(len(shown), 1))
    for name, part in shown.items():
        band(axes, part, strokes[name].colour, opacity)
    for name, part in shown.items():
        line(axes, part, strokes[name])


def band(axes: Axes, part: pl.DataFrame, colour: str, opacity: float = BAND) -> None:
    """Shade an interval; a lone point gets a bar, since a band of no width is invisible."""
    x, low, high = (part[c].to_numpy() for c in ("x", "low", "high"))
    if part.height == 1:
        axes.vlines(x, low, high, colors=colour, linewidth=1.0)
    else:
        axes.fill_between(x, low, high, color=colour, alpha=opacity, linewidth=0)


def line(
    axes: Axes, part: pl.DataFrame, stroke: Stroke, x: str = "x", y: str = "mid", **marks: Any
) -> None:
    """Draw one series of finished numbers in its stroke; there is nothing left to aggregate."""
    axes.plot(part[x].to_numpy(), part[y].to_numpy(), **line_marks(stroke) | marks)


def line_marks(stroke: Stroke) -> dict[str, Any]:
    """Return a stroke in matplotlib's words."""
    return {
        "color": stroke.colour,
        "marker": stroke.marker,
        "linestyle": stroke.dash,
        "linewidth": stroke.width,
        "markersize": stroke.marker_size,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }


def series_legend(figure: Figure, strokes: Mapping[str, Stroke], title: str = "") -> None:
    """Put one legend of all series above the panels, in as many rows as the names need."""
    handles = [Line2D([], [], label=short(n, 44), **line_marks(s)) for n, s in strokes.items()]
    legend_above(figure, handles, title)


def legend_above(figure: Figure, handles: Sequence[Any], title: str = "") -> None:
    """Put a legend above the panels, never wider than the figure, and make the room it needs."""
    if not handles:
        return
    lengths = [len(str(h.get_label())) for h in handles]
    n = len(handles)
    rows = next(r for r in range(1, n + 1) if r == n or _fits(figure, lengths, -(-n // r)))
    columns = -(-n // rows)
    figure.set_figheight(figure.get_figheight() + _LEGEND_ROW * (rows + bool(title)))
    figure.legend(handles=handles, title=title, loc="outside upper center", ncols=columns)


def _fits(figure: Figure, lengths: list[int], columns: int) -> bool:
    """Tell whether entries fit side by side; a column is as wide as its longest entry."""
    rows = -(-len(lengths) // columns)
    longest = [max(lengths[i : i + rows]) for i in range(0, len(lengths), rows)]
    return sum(n * _LETTER + _HANDLE for n in longest) <= figure.get_figwidth()


def from_zero(axes: Axes, part: pl.DataFrame, scale: pl.DataFrame | None = None) -> None:
    """Start the value axis at zero; say so where every value is zero, since nothing shows it.

    ``scale`` holds the rows of all panels that share the axis, ``part`` those of this one.
    """
    low, high = _bounds(part if scale is None else scale)
    if low == high:
        axes.set_ylim(0, 1)
        axes.set_yticks([0])
    else:
        margin = 0.05 * (high - low)
        axes.set_ylim(low - margin if low < 0 else -0.3 * margin, high + margin)
    if _bounds(part) == (0, 0):
        note(axes, "zero in every run" if part["mid"].is_not_nan().any() else "no values")


def _bounds(part: pl.DataFrame) -> tuple[float, float]:
    values = [v for c in ("mid", "low", "high") for v in part[c].drop_nulls().drop_nans()]
    return min([0.0, *values]), max([0.0, *values])


def note(axes: Axes, text: str) -> None:
    """Write a remark in the middle of a panel."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET)
