"""What leaving somebody out changes, and which forecast told it: removals of one run, run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stresslab.report.axes import head, note, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, show_unit
from stresslab.report.missing import NotInRun
from stresslab.report.source import Source
from stresslab.report.style import PAGE, QUIET, strokes

FOLDER = "importance"  # of a run, where `stresslab importance` writes

_SAVED, _FELLED = "#00508A", "#D55E00"
_FORECASTS = {
    "shadow": "shadow_usd",
    "shadow in turn": "shadow_in_turn_usd",
    "trigger share": "trigger_usd",
    "size": "size_usd",
}
_LABELS = {
    "told_usd": Label("forced notional of others, as foretold", "USD"),
    "saved_usd": Label("forced notional that others were spared", "USD"),
    "auc": Label("chance to rank saved above fallen"),
    "accounts": Label("other accounts"),
}


def prepare(source: Source) -> Prepared:
    """Take the first cell of the design whose removals have been run."""
    for cell in source.places["cell"].unique(maintain_order=True):
        path = Path(source.run.path) / FOLDER / f"{cell}_removals.parquet"
        if path.is_file():
            forecasts = pl.read_parquet(path.with_name(f"{cell}_forecasts.parquet"))
            return of_cell(cell, pl.read_parquet(path), forecasts)
    raise NotInRun("nobody was left out; 'stresslab importance RUN --cell ID' does it")


def of_cell(cell: str, removals: pl.DataFrame, forecasts: pl.DataFrame) -> Prepared:
    """Prepare the removals of one cell."""
    n = removals.filter(kind="account").height
    text = (
        f"Cell {cell}: {n} accounts with the most forced notional, every asset's forced sales and "
        "some rules are left out one by one and the run is made again. (a) Other accounts that are "
        "saved, and that fall instead. (b) Forced notional of others against what was foretold, "
        "accounts only; on the line both are equal. (c) Within each removal of an account, how "
        "forecasts rank the saved; bars are means, 0.5 is chance, and closeness to the breach "
        "knows nothing of the removal."
    )
    frames = {"removals": removals, "forecasts": forecasts}
    floats = pl.col(pl.Float64)
    defined = {name: f.with_columns(floats.fill_nan(None)) for name, f in frames.items()}
    return Prepared(defined, _LABELS, text)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw three panels: who is saved and felled, foretold against true, ranking within removals.

    ``removals``: kind, name, saved, felled, saved_usd, and columns of forecasts; ``forecasts``:
    forecast, auc.
    """
    removals = frames["removals"]
    height = min(2.6 + 0.14 * max(removals.height - 10, 0), 6.0)
    figure = Figure(figsize=(PAGE, height), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1.0, 0.85))
    _counts(left, removals, labels)
    _scatter(middle, removals.filter(kind="account"), labels)
    _ranking(right, removals.filter(kind="account"), frames["forecasts"], labels)
    for place, (axes, title) in enumerate(
        ((left, "saved and felled"), (middle, "foretold and true"), (right, "who is saved"))
    ):
        head(axes, place, title)
    series_legend(figure, strokes(_FORECASTS))
    return figure


def _counts(axes: Axes, removals: pl.DataFrame, labels: Labels) -> None:
    names = [n.replace("_", " ") for n in removals["name"]]
    y = np.arange(len(names))[::-1]
    axes.barh(y, removals["saved"].to_numpy(), color=_SAVED, height=0.7)
    axes.barh(y, -removals["felled"].to_numpy(), color=_FELLED, height=0.7, hatch="///")
    axes.axvline(0, color=QUIET, linewidth=0.6)
    axes.set_yticks(y, names, fontsize=6)
    axes.set(xlabel=f"{labels['accounts']}: felled | saved", ylim=(-0.7, len(names) - 0.3))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
    axes.grid(visible=False, axis="y")


def _scatter(axes: Axes, accounts: pl.DataFrame, labels: Labels) -> None:
    true = accounts["saved_usd"].to_numpy()
    for (name, column), stroke in zip(
        _FORECASTS.items(), strokes(_FORECASTS).values(), strict=True
    ):
        look = {"color": stroke.colour, "marker": stroke.marker, "markersize": stroke.marker_size}
        axes.plot(accounts[column].to_numpy(), true, linestyle="", label=name, **look)  # type: ignore[arg-type]
    ends = [min(0.0, *true), max(1.0, *true)]
    axes.plot(ends, ends, color=QUIET, linewidth=0.8, zorder=0)
    axes.axhline(0, color=QUIET, linewidth=0.6, zorder=0)
    axes.set(xlabel=labels["told_usd"].wrapped(26), ylabel=labels["saved_usd"].wrapped(26))
    for axis in (axes.xaxis, axes.yaxis):
        show_unit(axis, "USD")


def _ranking(axes: Axes, accounts: pl.DataFrame, forecasts: pl.DataFrame, labels: Labels) -> None:
    looks, names = strokes(_FORECASTS), forecasts["forecast"].to_list()
    y = np.arange(len(names))[::-1]
    for place, name in zip(y, names, strict=True):
        look = looks.get(name.replace("_", " "))
        mean = forecasts.filter(forecast=name)["auc"][0]
        if mean is not None:
            axes.barh(place, mean, color=look.colour if look else QUIET, alpha=0.35, height=0.6)
        found = accounts[f"auc_{name}"].drop_nulls().to_numpy()
        axes.plot(found, np.full(found.size, place), "|", color="black", markersize=7)
    axes.axvline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_yticks(y, [n.replace("_", " ") for n in names])
    axes.set(xlim=(0, 1.02), ylim=(-0.6, len(names) - 0.4), xlabel=labels["auc"].wrapped(24))
    if forecasts["auc"].null_count() == len(names):
        note(axes, "no removal saved some\nand not others")
    axes.grid(visible=False, axis="y")


CHART = Chart("Left out one by one", prepare, draw, every_design=False)
