"""One run through time: prices with liquidations marked, fund, open interest and depth."""

from __future__ import annotations

from typing import Any

import polars as pl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, legend_above, panels
from stresslab.report.chart import Frames, Labels
from stresslab.report.labels import number, short, show_unit
from stresslab.report.style import MODE_MARKERS, QUIET, asset_colours

_AREAS = (6.0, 110.0)  # of the marks of liquidations, in square points
_SHADOW = "#C4C4C4"
_MODE_COLOURS = {"isolated": "#D55E00", "cross": "#00508A"}


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel of prices per asset, then one per state of the market.

    ``prices``: asset, seconds, index, mark (both as return since the start).
    ``liquidations``: asset, seconds, mark (return), mode, notional_usd: forced notional filled in
    the step. ``state``: quantity, asset (null for the whole venue), seconds, value.
    """
    prices, forced, state = frames["prices"], frames["liquidations"], frames["state"]
    assets = prices["asset"].unique(maintain_order=True).to_list()
    quantities = state["quantity"].unique(maintain_order=True).to_list()
    figure, grid = panels(len(assets) + len(quantities), columns=3, height=1.75, sharex=True)
    colours = asset_colours(prices["asset"])
    largest = float(str(forced["notional_usd"].max() or 1.0))
    for place, (axes, asset) in enumerate(zip(grid, assets, strict=False)):
        _prices(axes, prices.filter(asset=asset), colours[asset])
        _liquidations(axes, forced.filter(asset=asset), largest)
        axes.set(xlabel="", ylabel="" if place % 3 else labels["mark"].wrapped())
        show_unit(axes.yaxis, labels["mark"].unit)
        head(axes, place, short(asset))
    for place, (axes, quantity) in enumerate(zip(grid[len(assets) :], quantities, strict=True)):
        _state(axes, state.filter(quantity=quantity), colours)
        axes.set(xlabel="", ylabel=labels[quantity].wrapped())
        show_unit(axes.yaxis, labels[quantity].unit)
        head(axes, len(assets) + place, "")
    _share_scale(grid[: len(assets)])
    figure.supxlabel(str(labels["seconds"]))
    legend_above(figure, _handles(forced, largest))
    return figure


def _prices(axes: Axes, part: pl.DataFrame, colour: str) -> None:
    """Draw the index as a wide shadow below the mark, so that both show where they are equal."""
    plain: dict[str, Any] = {"x": "seconds", "ax": axes, "estimator": None, "errorbar": None}
    data = to_pandas(part)
    sns.lineplot(data=data, y="index", color=_SHADOW, linewidth=2.6, legend=False, **plain)
    sns.lineplot(data=data, y="mark", color=colour, linewidth=0.9, legend=False, **plain)


def _liquidations(axes: Axes, part: pl.DataFrame, largest: float) -> None:
    if not part.height:
        return
    sns.scatterplot(
        data=to_pandas(part),
        x="seconds",
        y="mark",
        style="mode",
        markers=MODE_MARKERS,
        hue="mode",
        palette=_MODE_COLOURS,
        size="notional_usd",
        sizes=_AREAS,
        size_norm=(0.0, largest),
        alpha=0.6,
        edgecolor="white",
        linewidth=0.3,
        legend=False,
        zorder=3,
        ax=axes,
    )


def _share_scale(grid: list[Axes]) -> None:
    """Give all prices one scale: an asset that hardly moved must look so."""
    bounds = [axes.get_ylim() for axes in grid]
    for axes in grid:
        axes.set_ylim(min(low for low, _ in bounds), max(high for _, high in bounds))


def _state(axes: Axes, part: pl.DataFrame, colours: dict[str, str]) -> None:
    for (asset,), rows in part.group_by("asset", maintain_order=True):
        sns.lineplot(
            data=to_pandas(rows.select("seconds", "value")),
            x="seconds",
            y="value",
            color=colours.get(str(asset), "black"),
            linewidth=0.8,
            estimator=None,
            errorbar=None,
            legend=False,
            ax=axes,
        )


def _handles(forced: pl.DataFrame, largest: float) -> list[Line2D]:
    handles = [
        Line2D([], [], color=_SHADOW, linewidth=2.6, label="index"),
        Line2D([], [], color="black", linewidth=0.9, label="mark, in the colour of its asset"),
    ]
    for mode in sorted(set(forced["mode"])):
        look = {"color": _MODE_COLOURS[mode], "marker": MODE_MARKERS[mode], "linestyle": ""}
        handles.append(Line2D([], [], label=f"forced orders, {mode}", **look))
    if forced.height:
        text = f"largest: {number(largest)} USD in a step"
        ring = {"marker": "o", "markersize": 9, "markerfacecolor": "white", "linestyle": ""}
        handles.append(Line2D([], [], color=QUIET, label=text, **ring))
    return handles
