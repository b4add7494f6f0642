"""What would breach: notional in pools that breach at each price move, before anything happened."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.report.axes import head, line, panels, series_legend
from stresslab.report.chart import Frames, Labels
from stresslab.report.labels import short, show_unit
from stresslab.report.style import Stroke, strokes


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per asset, its price moving alone; falls left of zero, rises right of it.

    ``liquidation_map``: asset, mode, move (simple return of the mark), notional_usd (of all
    positions of the pools that breach by this move).
    """
    frame = frames["liquidation_map"]
    assets = frame["asset"].unique(maintain_order=True).to_list()
    looks = strokes(frame["mode"].unique(maintain_order=True))
    figure, grid = panels(len(assets), columns=3, height=1.9, sharex=True)
    for place, (axes, asset) in enumerate(zip(grid, assets, strict=True)):
        _asset(axes, frame.filter(asset=asset), looks)
        axes.set(xlabel="", ylabel="")
        show_unit(axes.xaxis, labels["move"].unit)
        show_unit(axes.yaxis, labels["notional_usd"].unit)
        head(axes, place, short(asset))
    figure.supxlabel(str(labels["move"]))
    figure.supylabel(str(labels["notional_usd"]))
    series_legend(figure, looks)
    return figure


def _asset(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    axes.axvline(0, color="black", linewidth=0.6)
    for mode, stroke in looks.items():
        part_of_mode = part.filter(mode=mode).sort("move")
        line(axes, part_of_mode, stroke, "move", "notional_usd", markevery=0.15)
    axes.set_ylim(bottom=0)
