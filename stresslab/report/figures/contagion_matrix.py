"""Where contagion comes from and goes to: asset by asset, one matrix per arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, note
from stresslab.report.chart import Frames, Labels
from stresslab.report.labels import number, short
from stresslab.report.style import MAGNITUDES, PAGE

_MOST_ANNOTATED = 6
_DECADES = 4  # cells this far below the largest are drawn alike: the eye cannot tell them apart


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a heat map per arm on one logarithmic colour scale; cells with nothing stay empty.

    ``contagion_matrix``: arm, source, target (asset names in the order of the config), value.
    """
    frame = frames["contagion_matrix"]
    arms = frame["arm"].unique(maintain_order=True).to_list()
    names = frame["source"].unique(maintain_order=True).to_list()
    figure, grid = _grid(len(arms), len(names))
    largest = float(str(frame["value"].fill_nan(None).max() or 0.0))
    for place, (axes, arm) in enumerate(zip(grid, arms, strict=True)):
        _matrix(axes, _table(frame.filter(arm=arm), names), largest, labels)
        head(axes, place, arm)
    figure.supxlabel(str(labels["target"]))
    figure.supylabel(str(labels["source"]))
    if largest:
        _colour_bar(figure, grid, labels)
    return figure


def _grid(n_arms: int, n_assets: int) -> tuple[Figure, list[Axes]]:
    columns = 2 if n_arms in (2, 4) or n_assets > _MOST_ANNOTATED else min(n_arms, 3)
    columns = min(columns, n_arms)
    rows = -(-n_arms // columns)
    side = PAGE / max(columns, 2) * (0.62 if n_assets <= _MOST_ANNOTATED else 0.84)
    figure = Figure(
        figsize=(PAGE if columns > 1 else PAGE * 0.6, side * rows), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in axes[n_arms:]:
        spare.remove()
    return figure, list(axes[:n_arms])


def _table(part: pl.DataFrame, names: list[str]) -> pd.DataFrame:
    table = to_pandas(part).pivot(index="source", columns="target", values="value")
    return table.reindex(index=names, columns=names)


def _matrix(axes: Axes, table: pd.DataFrame, largest: float, labels: Labels) -> None:
    positive = table.where(table > 0)
    small = len(table) <= _MOST_ANNOTATED
    ticks = [short(n, 12) for n in table.index]
    if positive.notna().to_numpy().any():
        sns.heatmap(
            positive,
            ax=axes,
            cmap=MAGNITUDES,
            norm=LogNorm(largest / 10**_DECADES, largest, clip=True),
            annot=positive.map(lambda v: _cell(v, labels)) if small else None,
            fmt="",
            annot_kws={"fontsize": 5.5},
            cbar=False,
            square=True,
            linewidths=0.4,
            linecolor="#DDDDDD",
            xticklabels=ticks,
            yticklabels=ticks,
        )
    else:
        _empty(axes, ticks)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    axes.tick_params(axis="x", rotation=0, length=0)
    if not small or max(map(len, ticks)) > 5:
        axes.set_xticks(axes.get_xticks(), ticks, rotation=45, ha="right", rotation_mode="anchor")
    axes.grid(False)


def _cell(value: float, labels: Labels) -> str:
    return "" if np.isnan(value) else number(float(f"{value:.2g}"), labels["value"].unit)


def _empty(axes: Axes, ticks: list[str]) -> None:
    places = np.arange(len(ticks)) + 0.5
    axes.set(xlim=(0, len(ticks)), ylim=(len(ticks), 0), aspect="equal")
    axes.set_xticks(places, ticks)
    axes.set_yticks(places, ticks)
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
