"""What would breach: notional in pools that breach at each price move, before anything happened."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.contagion.columns import MICRO_USD
from stresslab.report.axes import head, line, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, short, show_unit
from stresslab.report.missing import NotInRun
from stresslab.report.source import Source
from stresslab.report.style import Stroke, strokes


def prepare(source: Source) -> Prepared:
    """Take the map of one run per arm: the same people in every arm; modes for a single arm."""
    rows = source.done.filter(pl.col("cell").is_in(source.kept))
    firsts = rows.sort("replicate", maintain_order=True).unique("arm", maintain_order=True)
    if not firsts.height:
        raise NotInRun("no finished cell keeps its event log; 'record.events' sets which do")
    cells = firsts.select("arm", "cell").rows()
    parts = [_map(source, cell, arm if len(cells) > 1 else None) for arm, cell in cells]
    frame = pl.concat(parts)
    if not frame["notional_usd"].sum():
        raise NotInRun("no pool breaches at any move of the map")
    text = (
        f"Before the first step of replicate {firsts['replicate'][0]}: notional of all positions "
        "of the pools that would breach if the price of one asset moved alone, others standing "
        "still. Each panel has a scale of its own."
    )
    return Prepared({"liquidation_map": frame}, _LABELS, text)


_LABELS = {
    "move": Label("move of the asset's mark", "fraction"),
    "notional_usd": Label("notional of pools in breach", "USD"),
}


def _map(source: Source, cell: str, arm: str | None) -> pl.DataFrame:
    rows = source.run.events(cell)["liquidation_map"]
    series = pl.col("mode") if arm is None else pl.lit(arm)
    names = dict(enumerate(source.assets))
    asset = pl.col("asset").replace_strict(names, return_dtype=pl.String)
    named = rows.with_columns(series=series, asset=asset)
    sums = named.group_by("asset", "series", "move", maintain_order=True).agg(
        notional_usd=pl.col("notional_micro_usd").sum() / MICRO_USD
    )
    return sums.cast({"asset": pl.Enum(source.assets)}).sort("asset", "series", "move")


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per asset, its price moving alone; falls left of zero, rises right of it.

    ``liquidation_map``: asset, series (arm or margin mode), move (simple return of the mark),
    notional_usd (of all positions of the pools that breach by this move).
    """
    frame = frames["liquidation_map"]
    assets = frame["asset"].unique(maintain_order=True).to_list()
    looks = strokes(frame["series"].unique(maintain_order=True))
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
    for name, stroke in looks.items():
        curve = part.filter(series=name).sort("move")
        line(axes, curve, stroke, "move", "notional_usd", markevery=0.15)
    axes.set_ylim(bottom=0)


CHART = Chart("Liquidation map before the shock", prepare, draw, every_design=False)
