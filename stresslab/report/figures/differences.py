"""Paired differences between arms: the same people, luck and shock, another margin rule."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.analysis.contrasts import contrasts
from stresslab.report.axes import head, interval_lines, line_marks, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, NotInRun, Prepared
from stresslab.report.labels import short, show_unit
from stresslab.report.source import SHOCK_SIZE, STUDENT, Source
from stresslab.report.style import Stroke, strokes
from stresslab.report.words import outcome_labels

_OUTCOMES = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")


def prepare(source: Source) -> Prepared:
    """Subtract the first arm of the design from every other, replicate by replicate."""
    if len(source.arms) < 2:
        raise NotInRun(f"design {source.design} has one arm; there is nothing to compare")
    rows, baseline = source.shocked().drop("y"), source.arms[0]
    parts = [
        contrasts(rows, list(_OUTCOMES), arm, baseline).with_columns(arm=pl.lit(arm))
        for arm in source.arms[1:]
    ]
    frame = source.ordered(pl.concat(parts)).rename({"difference": "mid"})
    if not frame.height:
        raise NotInRun(f"no replicate finished under {baseline} and under another arm")
    columns = ("pattern", "outcome", "contrast", "arm", "x", "mid", "low", "high", "n")
    text = (
        f"Above zero: more than under {baseline}, with the same people, wealth, positions and "
        f"luck; mean over pairs of replicates, band: {STUDENT} of the difference."
    )
    labels = {"x": SHOCK_SIZE, **outcome_labels(*_OUTCOMES)}
    return Prepared({"differences": frame.select(columns)}, labels, text)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per shocked set and outcome: lines over shock sizes, or a forest of one size.

    ``differences``: pattern, outcome, contrast (`arm minus baseline`), arm (whose stroke it takes),
    x (size of the shock), mid, low, high (mean paired difference and interval), n (pairs).
    """
    frame = frames["differences"]
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    looks = _looks(frame)
    figure, grid = panels(len(places), columns=3)
    one_size = frame["x"].n_unique() == 1
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(pattern=pattern, outcome=outcome)
        unit = labels[outcome].unit
        if one_size:
            _forest(axes, part, looks, named=place % 3 == 0)
            axes.set(xlabel=labels[outcome].wrapped(), ylabel="")
            show_unit(axes.xaxis, unit)
        else:
            _lines(axes, part, looks)
            axes.set(xlabel="", ylabel=labels[outcome].wrapped())
            show_unit(axes.xaxis, labels["x"].unit)
            show_unit(axes.yaxis, unit)
        head(axes, place, pattern)
    if not one_size:
        figure.supxlabel(str(labels["x"]))
        series_legend(figure, looks)
    return figure


def _looks(frame: pl.DataFrame) -> dict[str, Stroke]:
    """Let a contrast look like its arm, so that colours mean the same in all figures."""
    pairs = frame.select("contrast", "arm").unique(maintain_order=True).rows()
    by_arm = strokes(arm for _, arm in pairs)
    return {contrast: by_arm[arm] for contrast, arm in pairs}


def _lines(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    axes.axhline(0, color="black", linewidth=0.7)
    interval_lines(axes, part, "contrast", looks)
    axes.set_xlim(left=0)


def _forest(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke], named: bool) -> None:
    axes.axvline(0, color="black", linewidth=0.7)
    names = list(looks)
    for row in part.iter_rows(named=True):
        stroke, place = looks[row["contrast"]], names.index(row["contrast"])
        axes.hlines(place, row["low"], row["high"], colors=stroke.colour, linewidth=1.4)
        axes.plot(row["mid"], place, **line_marks(stroke) | {"linestyle": ""})
    axes.set_yticks(range(len(names)), [short(n, 26) if named else "" for n in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


CHART = Chart("Paired differences between arms", prepare, draw)
