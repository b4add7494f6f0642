"""Depth and open interest of one run: what could be sold within 1 %, and what might have to be."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.contagion.columns import MICRO_USD
from stresslab.report.axes import head, line, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, short, show_unit
from stresslab.report.source import Source
from stresslab.report.style import Stroke, strokes

_MOST_ASSETS = 12
_SMOOTH = 11  # steps of the running median of depth, which flickers from step to step

_SERIES = {
    "open interest": "open_interest_lots",
    "bids within 1 % of the mark": "bid_depth_lots",
    "offers within 1 % of the mark": "ask_depth_lots",
}
_LABELS = {"seconds": Label("time", "s"), "value_usd": Label("value at the mark", "USD")}


def prepare(source: Source) -> Prepared:
    """Take the same run as the figures of one run: the one with the most spill."""
    row = source.example()
    events = source.run.events(row["cell"])
    perpetuals = events["assets"].filter(kind="perpetual").head(_MOST_ASSETS)
    names = perpetuals["name"].to_list()
    path = (
        events["path"]
        .join(perpetuals.select("asset", "name", "unit_value_micro_usd"), on="asset")
        .join(events["totals"].select("step", "seconds"), on="step")
        .sort("asset", "step")
    )
    parts = [
        path.select(asset=pl.col("name").cast(pl.Enum(names)), seconds="seconds").with_columns(
            series=pl.lit(series), value_usd=_value(path, column)
        )
        for series, column in _SERIES.items()
    ]
    text = (
        f"{source.named(row)}. Depth is a running median of {_SMOOTH} steps; a line ends where "
        "the side of the book is empty."
    )
    return Prepared({"depth": pl.concat(parts).sort("asset", "series", "seconds")}, _LABELS, text)


def _value(path: pl.DataFrame, column: str) -> pl.Series:
    lots = pl.col(column).cast(pl.Float64)
    if column != "open_interest_lots":
        lots = lots.rolling_median(_SMOOTH, center=True, min_samples=1).over("asset")
    price = pl.col("mark_ticks") * pl.col("unit_value_micro_usd") / MICRO_USD
    return path.select(lots * price).to_series()


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per asset on a log scale.

    ``depth``: asset, seconds, series (open interest or a side of the book), value_usd.
    """
    frame = frames["depth"]
    looks = strokes(frame["series"].unique(maintain_order=True))
    assets = frame["asset"].unique(maintain_order=True).to_list()
    figure, grid = panels(len(assets), columns=3, height=1.9, sharex=True, sharey=True)
    for place, (axes, asset) in enumerate(zip(grid, assets, strict=True)):
        _asset(axes, frame.filter(asset=asset), looks)
        axes.set(xlabel="", ylabel="")
        show_unit(axes.yaxis, labels["value_usd"].unit)
        head(axes, place, short(asset))
    figure.supxlabel(str(labels["seconds"]))
    figure.supylabel(str(labels["value_usd"]))
    series_legend(figure, looks)
    return figure


def _asset(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    axes.set_yscale("log", nonpositive="mask")
    for name, stroke in looks.items():
        curve = part.filter(series=name).sort("seconds")
        if curve.filter(pl.col("value_usd") > 0).height:  # a log scale has no place for zero
            line(axes, curve, stroke, "seconds", "value_usd", markevery=0.15)


CHART = Chart("Depth and open interest", prepare, draw, every_design=False)
