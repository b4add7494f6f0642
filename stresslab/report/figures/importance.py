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
    "shadow fading": "shadow_fading_usd",
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
            names = (f"{cell}_effects.parquet", f"{cell}_forecasts.parquet")
            others = (pl.read_parquet(path.with_name(name)) for name in names)
            return of_cell(cell, pl.read_parquet(path), *others)
    does_it = "'stresslab importance RUN --cell ID' does it"
    raise NotInRun(f"no cell was run again with some traders left out; {does_it}")


def of_cell(
    cell: str, removals: pl.DataFrame, effects: pl.DataFrame, forecasts: pl.DataFrame
) -> Prepared:
    """Prepare the removals of one cell and its replicates."""
    n = effects.filter(kind="account").height
    replicates = removals["cell"].n_unique()
    of = f"Cell {cell}" if replicates == 1 else f"Cell {cell} and {replicates - 1} more replicates"
    spread = "." if replicates == 1 else "; bars are means, lines 95 % intervals over replicates."
    text = (
        f"{of}: {n} accounts with the most forced notional, every asset's forced sales and "
        "some rules are left out one by one and the run is made again. (a) Other accounts that are "
        f"saved, and that fall instead{spread} (b) Forced notional of others against what was "
        "foretold, accounts only; on the line both are equal. (c) Within removals of accounts, how "
        "forecasts rank the saved: filled among all others, hollow among those that had no stop "
        "triggered, topped up nothing, cut nothing and held what they opened with; ticks are "
        "single removals, 0.5 is chance. "
        "Closeness to the breach knows nothing of the removal, twin prices are an oracle."
    )
    frames = {"removals": removals, "effects": effects, "forecasts": forecasts}
    floats = pl.col(pl.Float64)
    defined = {name: f.with_columns(floats.fill_nan(None)) for name, f in frames.items()}
    return Prepared(defined, _LABELS, text)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw three panels: who is saved and felled, foretold against true, ranking within removals.

    ``removals``: kind, saved_usd, and columns of forecasts; ``effects``: removal, saved and felled
    with intervals; ``forecasts``: forecast, auc and passive_auc with intervals.
    """
    removals, effects = frames["removals"], frames["effects"]
    height = min(2.8 + 0.14 * max(effects.height - 10, 0), 6.0)
    figure = Figure(figsize=(PAGE, height), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1.0, 0.95))
    _counts(left, effects, labels)
    _scatter(middle, removals.filter(kind="account"), labels)
    _ranking(right, removals.filter(kind="account"), frames["forecasts"], labels)
    for place, (axes, title) in enumerate(
        ((left, "saved and felled"), (middle, "foretold and true"), (right, "who is saved"))
    ):
        head(axes, place, title)
    series_legend(figure, strokes(_FORECASTS))
    return figure


def _counts(axes: Axes, effects: pl.DataFrame, labels: Labels) -> None:
    kinds = [f"{kind} " for kind in effects["kind"]]
    names = [
        name.removeprefix("" if kind == "account " else kind).replace("_", " ")
        for name, kind in zip(effects["removal"], kinds, strict=True)
    ]
    y = np.arange(len(names))[::-1]
    for name, sign, colour, hatch in (("saved", 1, _SAVED, ""), ("felled", -1, _FELLED, "///")):
        axes.barh(y, sign * effects[name].to_numpy(), color=colour, height=0.7, hatch=hatch)
        _spans(axes, y, effects, name, sign)
    axes.axvline(0, color=QUIET, linewidth=0.6)
    axes.set_yticks(y, names, fontsize=6)
    axes.set(xlabel=f"{labels['accounts']}: felled | saved", ylim=(-0.7, len(names) - 0.3))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
    axes.grid(visible=False, axis="y")


def _spans(axes: Axes, y: np.ndarray, frame: pl.DataFrame, name: str, sign: int = 1) -> None:
    """Draw intervals as lines, where there are any."""
    low, high = (frame[f"{name}_{end}"].cast(pl.Float64).to_numpy() for end in ("low", "high"))
    axes.hlines(y, sign * low, sign * high, color="black", linewidth=0.8)


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
    for place, row in zip(y, forecasts.iter_rows(named=True), strict=True):
        look = looks.get(row["forecast"].replace("_", " "))
        colour = look.colour if look else QUIET
        for area, shift, fill in (("auc", 0.18, colour), ("passive_auc", -0.18, "none")):
            found = accounts[f"{area}_{row['forecast']}"].drop_nulls().to_numpy()
            axes.plot(found, np.full(found.size, place + shift), "|", color=QUIET, markersize=4)
            if row[area] is not None:
                look_of = {"color": colour, "markerfacecolor": fill, "markersize": 5}
                axes.plot(row[area], place + shift, "o", **look_of)  # type: ignore[arg-type]
    _spans(axes, y + 0.18, forecasts, "auc")
    _spans(axes, y - 0.18, forecasts, "passive_auc")
    axes.axvline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    axes.axvline(0.9, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_yticks(y, [n.replace("_", " ") for n in names])
    axes.set(xlim=(0, 1.04), ylim=(-0.6, len(names)), xlabel=labels["auc"].wrapped(24))
    for fill, who in ((QUIET, "all others"), ("none", "those who hold")):
        axes.plot([], [], "o", color=QUIET, markerfacecolor=fill, markersize=5, label=who)
    axes.legend(
        loc="upper left", ncols=2, fontsize=5.5, handlelength=1.2, handletextpad=0.2,
        columnspacing=0.8, borderpad=0, borderaxespad=0.1, frameon=True, framealpha=1,
        facecolor="white", edgecolor="none",
    )  # fmt: skip
    if forecasts["auc"].null_count() == len(names):
        note(axes, "no removal saved some\nand not others")
    axes.grid(visible=False, axis="y")


CHART = Chart("Left out one by one", prepare, draw, every_design=False)
