"""Paired differences between arms: the same people, luck and shock, another margin rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import polars as pl
from matplotlib.figure import Figure

from stresslab.analysis.contrasts import contrasts
from stresslab.contagion.outcomes import OUTCOMES
from stresslab.report.axes import head, interval_lines, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import FRACTION, Label, show_unit
from stresslab.report.levels import is_response, lay_out, n_sizes
from stresslab.report.missing import NotInRun
from stresslab.report.points import draw_points
from stresslab.report.source import SHOCK_SIZE, STUDENT, Source
from stresslab.report.style import Stroke, strokes
from stresslab.report.words import is_yes_or_no, outcome_labels

_COLUMNS = ("pattern", "outcome", "contrast", "arm", "x", "mid", "low", "high", "n")
_OUTCOMES = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")


def prepare(source: Source) -> Prepared:
    """Subtract the first arm of the design from every other, replicate by replicate."""
    if len(source.arms) < 2:
        raise NotInRun(f"design {source.design} has one arm; there is nothing to compare")
    baseline = source.arms[0]
    if not source.done.filter(arm=baseline).height:
        raise NotInRun(f"no replicate finished under {baseline} and under another arm")
    has_sizes = is_response(source) and n_sizes(source) > 1
    frame, labels, words = _over_shocks(source) if has_sizes else _over_points(source)
    if not frame.height:
        raise NotInRun(f"no replicate finished under {baseline} and under another arm")
    text = (
        f"Above zero: more than under {baseline}, with the same people, wealth, positions and "
        f"luck; mean over pairs of replicates, band or bar: {STUDENT} of the difference.{words}"
    )
    return Prepared(
        {"differences": frame}, {n: _points(n, label) for n, label in labels.items()}, text
    )


def _points(name: str, label: Label) -> Label:
    """Name the unit of a difference of shares."""
    is_share = name in OUTCOMES and label.unit == FRACTION
    return replace(label, whole="points") if is_share else label


def _over_shocks(source: Source) -> tuple[pl.DataFrame, Labels, str]:
    found = _contrasts(source, source.shocked().drop("y"), _OUTCOMES)
    frame = source.ordered(found).select(_COLUMNS)
    return frame, {"x": SHOCK_SIZE, **outcome_labels(*_OUTCOMES)}, ""


def _over_points(source: Source) -> tuple[pl.DataFrame, Labels, str]:
    layout = lay_out(source)
    frame = layout.estimates(partial(_contrasts, source), "contrast")
    return frame, layout.labels(frame), layout.words


def _contrasts(source: Source, cells: pl.DataFrame, outcomes: Sequence[str]) -> pl.DataFrame:
    sizes = [name for name in outcomes if not is_yes_or_no(name)]
    parts = [
        contrasts(cells, sizes, arm, source.arms[0]).with_columns(arm=pl.lit(arm))
        for arm in source.arms[1:]
    ]
    return pl.concat(parts).rename({"difference": "mid"})


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per shocked set and outcome over shock sizes, or over the points of a design.

    ``differences``: pattern, outcome, contrast (`arm minus baseline`), arm (whose stroke it takes),
    x (size of the shock), mid, low, high (mean paired difference and interval), n (pairs); where
    more than the shock is varied, panel, factor and row as in ``figures/design.py``.
    """
    frame = frames["differences"]
    looks = _looks(frame)
    if "panel" in frame.columns:
        return draw_points(frame, labels, looks, series="contrast")
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    figure, grid = panels(len(places), columns=3)
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(pattern=pattern, outcome=outcome)
        axes.axhline(0, color="black", linewidth=0.7)
        interval_lines(axes, part, "contrast", looks)
        axes.set_xlim(left=0)
        axes.set(xlabel="", ylabel=labels[outcome].wrapped())
        show_unit(axes.xaxis, labels["x"].unit)
        show_unit(axes.yaxis, labels[outcome].unit)
        head(axes, place, pattern)
    figure.supxlabel(str(labels["x"]))
    series_legend(figure, looks)
    return figure


def _looks(frame: pl.DataFrame) -> dict[str, Stroke]:
    """Let a contrast look like its arm, so that colours mean the same in all figures."""
    pairs = frame.select("contrast", "arm").unique(maintain_order=True).rows()
    by_arm = strokes(arm for _, arm in pairs)
    return {contrast: by_arm[arm] for contrast, arm in pairs}


CHART = Chart("Paired differences between arms", prepare, draw)
