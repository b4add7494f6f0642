"""Phase diagram: shock size against the share of cross margin, with the threshold as a contour."""

from __future__ import annotations

import numpy as np
import polars as pl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.analysis.summaries import summarise
from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, legend_above, panels
from stresslab.report.chart import Chart, Frames, Labels, NotInRun, Prepared
from stresslab.report.labels import Label, number
from stresslab.report.source import CROSS_SHARE, SHOCK_SIZE, Source
from stresslab.report.style import MAGNITUDES
from stresslab.report.words import outcome_labels

_COLOUR, _WIDTH = "#00A0C8", 1.6  # of the contour


_CROSSED, _LOSS = "crossed", "system_loss_usd"
_THRESHOLD = 0.5  # of runs in which liquidation crosses


def prepare(source: Source) -> Prepared:
    """Take means over replicates at every shock size and share of cross margin."""
    rows = source.shocked(share_varies=True).drop_nulls("y")
    by_arm = rows.group_by("arm", maintain_order=True).agg(pl.col("x", "y").n_unique())
    arms = by_arm.filter(pl.col("x") > 1, pl.col("y") > 1)["arm"].to_list()
    if not arms:
        raise NotInRun(f"design {source.design} does not vary shock and share of cross margin")
    found = source.ordered(summarise(rows.filter(arm=arms[0]), [_CROSSED, _LOSS]))
    frame = found.filter(pl.col("mean").is_not_null().any().over("pattern", "outcome"))
    threshold = pl.when(pl.col("outcome") == _CROSSED).then(_THRESHOLD)
    frame = frame.with_columns(threshold=threshold).rename({"mean": "value"})
    labels = {"x": SHOCK_SIZE, "y": CROSS_SHARE, **outcome_labels(_CROSSED, _LOSS)}
    text = (
        f"Mean over replicates, under arm {arms[0]}; the line is where half of the runs cross. "
        "Shock sizes and shares stand at equal distances, whatever their values."
    )
    columns = ("pattern", "outcome", "x", "y", "value", "low", "high", "threshold", "n")
    return Prepared({"phase": frame.select(columns)}, labels, text)


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw one map per outcome; cells are design points, evenly spaced whatever their values.

    ``phase``: pattern, outcome, x (size of the shock), y (share of cross margin), value (mean over
    replicates), threshold (value of the contour, null for none).
    """
    frame = frames["phase"]
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    figure, grid = panels(len(places), columns=2, height=2.5)
    figure.set_figwidth(3.5 * min(len(places), 2))
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        _map(axes, frame.filter(pattern=pattern, outcome=outcome), labels, labels[outcome])
        head(axes, place, pattern)
    figure.supxlabel(str(labels["x"]))
    figure.supylabel(str(labels["y"]))
    if frame["threshold"].is_not_null().any():
        text = "threshold, marked on the colour bar"
        legend_above(figure, [Line2D([], [], label=text, color=_COLOUR, linewidth=_WIDTH)])
    return figure


def _map(axes: Axes, part: pl.DataFrame, labels: Labels, outcome: Label) -> None:
    table = (
        to_pandas(part).pivot(index="y", columns="x", values="value").sort_index(ascending=False)
    )
    sns.heatmap(
        table,
        ax=axes,
        cmap=MAGNITUDES,
        vmin=min(0.0, np.nanmin(table.to_numpy(), initial=0.0)),
        vmax=np.nanmax(table.to_numpy(), initial=0.0) or 1.0,
        xticklabels=[number(x, labels["x"].unit) for x in table.columns],
        yticklabels=[number(y, labels["y"].unit) for y in table.index],
        cbar_kws={"label": outcome.wrapped(), "format": lambda v, _: number(v, outcome.unit)},
        linewidths=0.3,
        linecolor="white",
    )
    axes.set(xlabel="", ylabel="")
    axes.tick_params(rotation=0, length=0)
    axes.grid(False)
    if part["threshold"][0] is not None:
        _contour(axes, table.to_numpy(), part["threshold"][0])


def _contour(axes: Axes, values: np.ndarray, threshold: float) -> None:
    """Draw the threshold through the cell centres and on the colour bar, if it is met at all."""
    if min(values.shape) < 2 or not np.nanmin(values) < threshold < np.nanmax(values):
        return
    rows, columns = values.shape
    centres = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    axes.contour(*centres, values, levels=[threshold], colors=_COLOUR, linewidths=_WIDTH)
    axes.collections[0].colorbar.ax.axhline(threshold, color=_COLOUR, linewidth=_WIDTH)


CHART = Chart("Phase diagram: shock and share of cross margin", prepare, draw)
