"""Phase diagram: shock size against the share of cross margin, with the threshold as a contour."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stresslab.analysis.frames import column, groups
from stresslab.analysis.intervals import ratio_of_sums
from stresslab.analysis.summaries import summarise
from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head, legend_above, panels
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import FRACTION, Label, number
from stresslab.report.missing import NotInRun
from stresslab.report.seaborn import sns
from stresslab.report.source import CROSS_SHARE, SHOCK_SIZE, Source
from stresslab.report.style import MAGNITUDES, PAGE
from stresslab.report.words import outcome_labels

_COLOUR, _WIDTH = "#00A0C8", 1.6  # of the contour


_SPILL, _LOSS = "spill_share", "system_loss_usd"
_THRESHOLD = 0.1  # of forced notional: beyond it a shock counts as having crossed


def prepare(source: Source) -> Prepared:
    """Take losses and the share that fell on unshocked assets, by shock and share of cross."""
    rows = source.shocked(share_varies=True).drop_nulls("y")
    by_arm = rows.group_by("arm", maintain_order=True).agg(pl.col("x", "y").n_unique())
    arms = by_arm.filter(pl.col("x") > 1, pl.col("y") > 1)["arm"].to_list()
    if not arms:
        raise NotInRun(f"design {source.design} does not vary shock and share of cross margin")
    rows = rows.filter(arm=arms[0])
    losses = source.ordered(summarise(rows, [_LOSS])).rename({"mean": "value"})
    losses = losses.with_columns(threshold=pl.lit(None, pl.Float64))
    lone = rows.filter(pl.col("n_shocked") < len(source.assets))
    columns = ("pattern", "outcome", "x", "y", "value", "low", "high", "threshold", "n")
    frame = pl.concat([_spills(lone), losses.select(columns)])
    labels = {
        "x": SHOCK_SIZE,
        "y": CROSS_SHARE,
        _SPILL: Label("share of forced notional in unshocked assets", FRACTION),
        **outcome_labels(_LOSS),
    }
    text = (
        f"Under arm {arms[0]}. Share: ratio of sums over replicates, the line is at "
        f"{_THRESHOLD:.0%}; loss: mean over replicates; intervals are in the data beside. Shock "
        "sizes and shares stand at equal distances, whatever their values."
    )
    return Prepared({"phase": frame}, labels, text)


def _spills(rows: pl.DataFrame) -> pl.DataFrame:
    """Return spilled over all forced notional at every point, as ratio of sums over replicates."""
    spilled = pl.col("spill_same_accounts_usd") + pl.col("spill_other_accounts_usd")
    found = []
    for (pattern, x, y), cells in groups(rows.with_columns(spilled=spilled), ["pattern", "x", "y"]):
        ratio = ratio_of_sums(column(cells, "spilled"), column(cells, "forced_notional_usd"))
        found.append((pattern, _SPILL, x, y, *ratio, _THRESHOLD, cells.height))
    return pl.DataFrame(found, _COLUMNS, orient="row")


_COLUMNS = {
    "pattern": pl.String,
    "outcome": pl.String,
    **dict.fromkeys(("x", "y", "value", "low", "high", "threshold"), pl.Float64),
    "n": pl.Int64,
}


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw one map per outcome; cells are design points, evenly spaced whatever their values.

    ``phase``: pattern, outcome, x (size of the shock), y (share of cross margin), value (mean over
    replicates), threshold (value of the contour, null for none).
    """
    frame = frames["phase"]
    places = frame.select("pattern", "outcome").unique(maintain_order=True).rows()
    figure, grid = panels(len(places), columns=2, height=2.5)
    figure.set_figwidth(PAGE / 2 * min(len(places), 2))
    has_line = False
    for place, (axes, (pattern, outcome)) in enumerate(zip(grid, places, strict=True)):
        part = frame.filter(pattern=pattern, outcome=outcome)
        has_line |= _map(axes, part, labels, labels[outcome])
        head(axes, place, pattern)
    figure.supxlabel(str(labels["x"]))
    figure.supylabel(str(labels["y"]))
    if has_line:
        text = "threshold, marked on the colour bar"
        legend_above(figure, [Line2D([], [], label=text, color=_COLOUR, linewidth=_WIDTH)])
    return figure


def _map(axes: Axes, part: pl.DataFrame, labels: Labels, outcome: Label) -> bool:
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
    return _contour(axes, table.to_numpy(), part["threshold"][0])


def _contour(axes: Axes, values: np.ndarray, threshold: float | None) -> bool:
    """Draw the threshold through the cell centres and on the colour bar; tell if it is met."""
    if threshold is None or min(values.shape) < 2:
        return False
    if not np.nanmin(values) < threshold < np.nanmax(values):
        return False
    rows, columns = values.shape
    centres = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    axes.contour(*centres, values, levels=[threshold], colors=_COLOUR, linewidths=_WIDTH)
    axes.collections[0].colorbar.ax.axhline(threshold, color=_COLOUR, linewidth=_WIDTH)
    return True


CHART = Chart("Phase diagram: shock and share of cross margin", prepare, draw)
