"""Outcomes against the size of the shock, by arm, with intervals over replicates."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.analysis.summaries import summarise
from stresslab.report.axes import from_zero, head, interval_lines, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import show_unit
from stresslab.report.levels import MEANS, is_response, lay_out, means, n_sizes
from stresslab.report.missing import NotInRun
from stresslab.report.points import draw_points
from stresslab.report.source import SHOCK_SIZE, STUDENT, Source
from stresslab.report.style import Stroke, strokes
from stresslab.report.words import outcome_labels

#: What is shown where the shock leaves some assets alone, and where it takes all of them.
_LONE = ("share_accounts_liquidated", "spill_same_accounts_usd", "spill_other_accounts_usd")
_JOINT = ("share_accounts_liquidated", "forced_notional_usd", "system_loss_usd")


def prepare(source: Source) -> Prepared:
    """Take means over replicates at every shock size, arm by arm."""
    rows = source.shocked()
    if not is_response(source):
        raise NotInRun(f"design {source.design} does not vary the size of one shock")
    if n_sizes(source) == 1:
        return _at_one_size(source)
    joint = pl.col("n_shocked") == len(source.assets)
    parts = [
        (rows.filter(~joint), list(_LONE)),
        (rows.filter(joint), list(_JOINT)),
    ]
    parts_of = [source.ordered(summarise(part, names)) for part, names in parts if part.height]
    is_spill = pl.col("outcome").str.starts_with("spill_")
    scale = pl.when(is_spill).then(pl.lit("spill")).otherwise("outcome")
    frame = pl.concat(parts_of).rename({"mean": "mid"}).with_columns(scale=scale)
    frame = frame.select("pattern", "outcome", "scale", "arm", "x", "mid", "low", "high", "n")
    labels = {"x": SHOCK_SIZE, **outcome_labels(*frame["outcome"].unique(maintain_order=True))}
    text = f"Mean over replicates by arm; band: {STUDENT}."
    return Prepared({"response": frame}, labels, text)


def _at_one_size(source: Source) -> Prepared:
    layout = lay_out(source)
    frame = layout.estimates(means)
    return Prepared({"response": frame}, layout.labels(frame), MEANS)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw one panel per shocked set and outcome.

    ``response``: pattern (which assets are shocked), outcome, scale (panels of a pattern with the
    same scale share their value axis, so that dust looks like dust), arm, x (size of the shock),
    mid, low, high (mean and interval), n (replicates); rows in the order to be drawn. Of a shock
    of one size: columns as in ``figures/design.py``, and no axis for its size.
    """
    frame = frames["response"]
    if "panel" in frame.columns:
        return draw_points(frame, labels, strokes(frame["arm"]))
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    looks = strokes(frame["arm"])
    figure, grid = panels(len(places), columns=3)
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(pattern=pattern, outcome=outcome)
        scale = frame.filter(pattern=pattern, scale=part["scale"][0])
        _panel(axes, part, looks, labels, outcome)
        from_zero(axes, part, scale)
        head(axes, place, pattern)
    figure.supxlabel(str(labels["x"]))
    series_legend(figure, looks)
    return figure


def _panel(
    axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke], labels: Labels, outcome: str
) -> None:
    interval_lines(axes, part, "arm", looks)
    axes.set(xlabel="", ylabel=labels[outcome].wrapped())
    show_unit(axes.xaxis, labels["x"].unit)
    show_unit(axes.yaxis, labels[outcome].unit)
    axes.set_xlim(left=0)


CHART = Chart("Response to the size of the shock", prepare, draw)
