"""Where contagion comes from and goes to: asset by asset, one matrix per arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from stresslab.analysis.intervals import student
from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, note
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, number, rounded, short
from stresslab.report.missing import NotInRun
from stresslab.report.seaborn import sns
from stresslab.report.source import STUDENT, Source
from stresslab.report.style import MAGNITUDES, PAGE

_MOST_ANNOTATED = 6
_DECADES = 4  # cells this far below the largest are drawn alike: the eye cannot tell them apart


_NONE = "none"  # row of causes that are no price move


def prepare(source: Source) -> Prepared:
    """Lay forced notional to the assets whose prices tipped the pools over, by trigger share."""
    rows = source.at_focus(source.patterns[0] if source.patterns else "")
    entries = source.long("asset_matrix", rows)
    if not entries["notional_usd"].sum():
        raise NotInRun("nobody was liquidated in any run")
    means = _means(entries)
    used = means.filter((pl.col("source") != _NONE) | (pl.col("value").sum().over("source") > 0))
    names = [*source.assets, _NONE]
    frame = used.cast({"source": pl.Enum(names), "target": pl.Enum(source.assets)})
    labels = {
        "source": Label("asset whose price tipped the pool over"),
        "target": Label("asset of the forced order"),
        "value": Label("forced notional, mean over runs", "USD"),
    }
    text = (
        f"{source.sizes(rows)}; means over all replicates ({rows['cell'].n_unique()} runs); ±: "
        f"half of the {STUDENT}. Forced notional is laid to causes by trigger share: who tipped "
        "the pool over, not what would have prevented it. Empty cells are zero."
    )
    return Prepared({"contagion_matrix": frame}, labels, text)


def _means(entries: pl.DataFrame) -> pl.DataFrame:
    """Return each entry's mean over runs with its interval; the modes of an arm are summed."""
    by_run = entries.group_by("arm", "cell", "cause_asset", "asset", maintain_order=True).agg(
        pl.col("notional_usd").sum()
    )
    places = by_run.group_by("arm", "cause_asset", "asset", maintain_order=True)
    rows = [(*key, *student(part["notional_usd"].to_list()), part.height) for key, part in places]
    texts = dict.fromkeys(("arm", "source", "target"), pl.String)
    numbers = dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, {**texts, **numbers, "n": pl.Int64}, orient="row")


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a heat map per arm on one logarithmic colour scale; cells with nothing stay empty.

    ``contagion_matrix``: arm, source, target (asset names in the order of the config), value, low,
    high (mean over runs and its interval, null for a single run), n (runs).
    """
    frame = frames["contagion_matrix"]
    arms = frame["arm"].unique(maintain_order=True).to_list()
    names = frame["target"].unique(maintain_order=True).to_list()
    causes = frame["source"].unique(maintain_order=True).to_list()
    figure, grid = _grid(len(arms), len(names))
    largest = float(str(frame["value"].fill_nan(None).max() or 0.0))
    for place, (axes, arm) in enumerate(zip(grid, arms, strict=True)):
        part = frame.filter(arm=arm)
        mean, high = (_table(part, value, causes, names) for value in ("value", "high"))
        _matrix(axes, mean, high - mean, largest, labels)
        head(axes, place, short(arm, 28))
    figure.supxlabel(str(labels["target"]))
    figure.supylabel(str(labels["source"]))
    if largest:
        _colour_bar(figure, grid, labels)
    return figure


def _grid(n_arms: int, n_assets: int) -> tuple[Figure, list[Axes]]:
    """Return square panels, no larger than their content needs, and room for the colour bar."""
    columns = min(n_arms, 3 if n_assets <= _MOST_ANNOTATED and n_arms != 4 else 2)
    rows = -(-n_arms // columns)
    side = min(2.3 if n_assets <= _MOST_ANNOTATED else 2.9, (PAGE - 1.1) / columns)
    figure = Figure(
        figsize=(columns * side + 1.1, rows * (side + 0.15) + 0.3), layout="constrained"
    )
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in grid[n_arms:]:
        spare.remove()
    return figure, list(grid[:n_arms])


def _table(part: pl.DataFrame, value: str, causes: list[str], names: list[str]) -> pd.DataFrame:
    table = to_pandas(part).pivot(index="source", columns="target", values=value)
    return table.reindex(index=causes, columns=names)


def _matrix(
    axes: Axes, table: pd.DataFrame, half: pd.DataFrame, largest: float, labels: Labels
) -> None:
    positive = table.where(table > 0)
    small = len(table) <= _MOST_ANNOTATED
    ticks = [short(n, 12) for n in table.columns]
    causes = [short(n, 12) for n in table.index]
    if positive.notna().to_numpy().any():
        sns.heatmap(
            positive,
            ax=axes,
            cmap=MAGNITUDES,
            norm=LogNorm(largest / 10**_DECADES, largest, clip=True),
            annot=_texts(positive, half, largest, labels) if small else None,
            fmt="",
            annot_kws={"fontsize": 5.0, "linespacing": 1.3},
            cbar=False,
            square=True,
            linewidths=0.4,
            linecolor="#DDDDDD",
            xticklabels=ticks,
            yticklabels=causes,
        )
    else:
        _empty(axes, ticks, causes)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    axes.tick_params(axis="x", rotation=0, length=0)
    if not small or max(map(len, ticks)) > 5:
        axes.set_xticks(axes.get_xticks(), ticks, rotation=45, ha="right", rotation_mode="anchor")
    axes.grid(False)


def _texts(mean: pd.DataFrame, half: pd.DataFrame, largest: float, labels: Labels) -> np.ndarray:
    """Return what stands in each cell: the mean and half its interval."""
    unit = labels["value"].unit
    texts = np.full(mean.shape, "", dtype=object)
    for place, value in np.ndenumerate(mean.to_numpy()):
        if value >= largest / 10**_DECADES:  # neither NaN nor what the colours do not tell apart
            spread = half.to_numpy()[place]
            texts[place] = rounded(value, unit)
            texts[place] += f"\n±{rounded(spread, unit)}" if np.isfinite(spread) else ""
    return texts


def _empty(axes: Axes, ticks: list[str], causes: list[str]) -> None:
    axes.set(xlim=(0, len(ticks)), ylim=(len(causes), 0), aspect="equal")
    axes.set_xticks(np.arange(len(ticks)) + 0.5, ticks)
    axes.set_yticks(np.arange(len(causes)) + 0.5, causes)
    note(axes, "nothing spread")


def _colour_bar(figure: Figure, grid: list[Axes], labels: Labels) -> None:
    drawn = [a for a in grid if a.collections]
    unit = labels["value"].unit
    bar = figure.colorbar(
        drawn[0].collections[0],
        ax=grid,
        label=str(labels["value"]),
        format=lambda v, _: number(v, unit),
        extend="min",
        shrink=0.7,
    )
    bar.outline.set_visible(False)


CHART = Chart("Contagion from asset to asset", prepare, draw, every_design=False)
