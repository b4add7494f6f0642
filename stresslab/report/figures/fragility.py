"""Robust yet fragile: how often a shock is systemic, and how far it then goes."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from stresslab.analysis.fragility import SYSTEMIC, fragility
from stresslab.report.axes import head, interval_lines, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import FRACTION, Label, show_unit
from stresslab.report.levels import is_response, n_sizes
from stresslab.report.missing import NotInRun
from stresslab.report.source import SHOCK_SIZE, Source
from stresslab.report.style import strokes

_LABELS = {
    "x": SHOCK_SIZE,
    "frequency": Label("frequency of systemic cascades", FRACTION),
    "extent": Label("accounts liquidated if systemic", FRACTION),
}


def prepare(source: Source) -> Prepared:
    """Take frequency and conditional extent at every shock size, arm by arm."""
    rows = source.shocked()
    if not is_response(source) or n_sizes(source) == 1:
        raise NotInRun(f"design {source.design} does not vary the size of one shock")
    found = fragility(rows)
    if not found["frequency"].sum():
        raise NotInRun(f"no cascade of design {source.design} is systemic")
    parts = [
        found.select(
            "n_shocked", "pattern", "arm", "x", pl.lit(name).alias("outcome"),
            mid=name, low=f"{name}_low", high=f"{name}_high",
        )
        for name in ("frequency", "extent")
    ]  # fmt: skip
    frame = source.ordered(pl.concat(parts)).select(
        "pattern", "outcome", "arm", "x", "mid", "low", "high"
    )
    text = (
        f"A cascade is systemic if it liquidates more than {100 * SYSTEMIC:g} % of accounts. "
        "Frequency: share of replicates, 95 % Wilson interval. Extent: mean over those replicates "
        "alone, 95 % bootstrap interval; without a point where there is none."
    )
    return Prepared({"fragility": frame}, _LABELS, text)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw two panels per shocked set: frequency, and extent given that it is systemic.

    ``fragility``: pattern, outcome (frequency or extent), arm, x (size of the shock), mid, low,
    high.
    """
    frame = frames["fragility"]
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    looks, furthest = strokes(frame["arm"]), max(frame["x"].to_list())
    figure, grid = panels(len(places), columns=2)
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(pattern=pattern, outcome=outcome).drop_nulls("mid")
        interval_lines(axes, part, "arm", looks)
        axes.set(xlabel="", ylabel=labels[outcome].wrapped(), ylim=(0, 1.04))
        axes.set_xlim(0, 1.06 * furthest)
        show_unit(axes.xaxis, labels["x"].unit)
        show_unit(axes.yaxis, labels[outcome].unit)
        head(axes, place, pattern)
    figure.supxlabel(str(labels["x"]))
    series_legend(figure, looks)
    return figure


CHART = Chart("Robust yet fragile: frequency and extent of systemic cascades", prepare, draw)
