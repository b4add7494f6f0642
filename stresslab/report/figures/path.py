"""One run through time: prices with liquidations marked, fund, open interest and depth."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.contagion.columns import MICRO_USD
from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, legend_above, panels
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import FRACTION, Label, rounded, short, show_unit
from stresslab.report.seaborn import sns
from stresslab.report.source import Source
from stresslab.report.style import MODE_MARKERS, QUIET, asset_colours

_AREAS = (6.0, 110.0)  # of the marks of liquidations, in square points
_ROOM = 0.08  # of the scale, above and below the marks: half of the largest fits in it
_SHADOW = "#C4C4C4"
_MODE_COLOURS = {"isolated": "#D55E00", "cross": "#00508A"}


_MOST_ASSETS = 12
_SMOOTH = 11  # steps of the running median of depth, which flickers from step to step

_LABELS = {
    "mark": Label("return since the start", FRACTION),
    "seconds": Label("time", "s"),
    "insurance_fund": Label("insurance fund", "USD"),
    "open_interest": Label("open interest, of the initial", FRACTION),
    "depth": Label("bid depth, of its usual", FRACTION),
}


def prepare(source: Source) -> Prepared:
    """Take the same run as the cascade figure: the one with the largest cascade tree."""
    row = source.example()
    events = source.run.events(row["cell"])
    names = dict(enumerate(source.assets))
    asset = pl.col("asset").replace_strict(names, return_dtype=pl.Enum(source.assets))
    seconds = events["totals"].select("step", "seconds")
    path = events["path"].join(seconds, on="step").sort("asset", "step")
    shown = _most_forced(events)
    path, forced = (f.filter(pl.col("asset").is_in(shown)) for f in (path, _forced(events)))
    frames = {
        "prices": path.select(asset, "seconds", index=_return("index"), mark=_return("mark")),
        "liquidations": forced.join(
            path.select("asset", "step", "seconds", mark=_return("mark")), on=["asset", "step"]
        ).select(asset, "seconds", "mark", "mode", "notional_usd"),
        "state": _state_of(events, path.with_columns(asset), source.assets),
    }
    text = (
        f"{source.named(row)}. Area of a mark: forced notional filled in the step; "
        f"depth is a running median of {_SMOOTH} steps, and usual is its mean before the first "
        "shock, or of the whole run where there is none."
    )
    if len(shown) < len(source.assets):
        text += f" Shown are the {len(shown)} assets with the most forced notional."
    return Prepared(frames, _LABELS, text)


def _return(price: str) -> pl.Expr:
    ticks = pl.col(f"{price}_ticks")
    return ticks / ticks.first().over("asset") - 1


def _forced(events: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return forced notional filled by step, asset and mode, at the mark it was judged on."""
    orders = events["forced_orders"].join(
        events["assets"].select("asset", "unit_value_micro_usd"), on="asset"
    )
    value = pl.col("filled_lots").abs() * pl.col("mark_ticks") * pl.col("unit_value_micro_usd")
    sums = orders.group_by("asset", "step", "mode").agg(notional_usd=value.sum() / MICRO_USD)
    return sums.filter(pl.col("notional_usd") > 0).sort("asset", "step", "mode")


def _most_forced(events: dict[str, pl.DataFrame]) -> list[int]:
    sums = _forced(events).group_by("asset").agg(pl.col("notional_usd").sum())
    ranked = events["assets"].select("asset").join(sums, on="asset", how="left")
    ranked = ranked.sort(pl.col("notional_usd").fill_null(0.0), "asset", descending=[True, False])
    return sorted(ranked["asset"].head(_MOST_ASSETS).to_list())


def _state_of(
    events: dict[str, pl.DataFrame], path: pl.DataFrame, assets: list[str]
) -> pl.DataFrame:
    shock = events["shocks"]["first_step"].min()
    before = pl.col("step") < shock if shock is not None else pl.lit(True)
    interest = pl.col("open_interest_lots").cast(pl.Float64)
    depth = pl.col("bid_depth_lots").cast(pl.Float64)
    normal = depth.filter(before).mean()
    columns = {
        "open_interest": interest / interest.first(),
        "depth": (depth / normal).rolling_median(_SMOOTH, center=True, min_samples=1),
    }
    fund = events["totals"].select(
        quantity=pl.lit("insurance_fund"),
        asset=pl.lit(None, pl.Enum(assets)),
        seconds="seconds",
        value=pl.col("insurance_fund_micro_usd") / MICRO_USD,
    )
    parts = [fund] + [
        path.select(
            quantity=pl.lit(name), asset="asset", seconds="seconds", value=value.over("asset")
        ).filter(pl.col("value").is_finite())
        for name, value in columns.items()
    ]
    return pl.concat(parts)


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
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    room = _ROOM * (high - low)
    for axes in grid:
        axes.set_ylim(low - room, high + room)


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
        text = f"largest: {rounded(largest)} USD in a step"
        size = math.sqrt(_AREAS[1])
        ring = {"marker": "o", "markersize": size, "markerfacecolor": "white", "linestyle": ""}
        handles.append(Line2D([], [], color=QUIET, label=text, **ring))
    return handles


CHART = Chart("One run through time", prepare, draw, every_design=False)
