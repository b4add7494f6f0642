"""Who pays: traders, penalties, fund, auto-deleveraging and socialised loss, up to the total."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.analysis.summaries import summarise
from stresslab.report.adapter import to_pandas
from stresslab.report.axes import head
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, short, show_unit
from stresslab.report.seaborn import sns
from stresslab.report.source import STUDENT, Source
from stresslab.report.style import PAGE, PAGE_HEIGHT, QUIET, strokes

#: Parts of the system loss and the loss itself.
_PARTS = {
    "trader_loss_usd": "traders",
    "penalties_usd": "penalties",
    "fund_paid_usd": "fund",
    "adl_usd": "ADL",
    "socialised_usd": "socialised",
    "system_loss_usd": "total",
}


def prepare(source: Source) -> Prepared:
    """Take mean losses at the largest shock of each pattern, if any; parts sum to the total."""
    rows = source.struck()
    largest = rows.filter(pl.col("x").eq_missing(pl.col("x").max().over("pattern")))
    besides = largest.with_columns(pl.col("trader_loss_usd") - pl.col("penalties_usd"))
    found = source.ordered(summarise(besides, list(_PARTS)))
    found = found.with_columns(pl.col("outcome").replace_strict(_PARTS))
    end = pl.col("mean").cum_sum().over("pattern", "arm")
    start = pl.when(pl.col("outcome") == "total").then(0.0).otherwise(end - pl.col("mean"))
    frame = found.with_columns(start=start).rename({"mean": "amount", "outcome": "component"})
    columns = ("pattern", "arm", "component", "start", "amount", "low", "high", "n")
    where = " at the largest shock" if largest["x"].is_not_null().any() else ""
    text = (
        f"Losses{where} ({source.sizes(largest)}), valued at the index: traders "
        "beside penalties, penalties, insurance fund, auto-deleveraging and socialised loss sum to "
        f"the total (hatched). Means over replicates; bars: {STUDENT}."
    )
    return Prepared(
        {"waterfall": frame.select(columns)}, {"amount": Label("mean loss", "USD")}, text
    )


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a waterfall per shocked set and arm; the bars add up to the last, the total.

    ``waterfall``: pattern, arm, component (in order, the last is the total), start, amount (mean
    over replicates), end, low, high (interval of the amount).
    """
    frame = frames["waterfall"]
    patterns = frame["pattern"].unique(maintain_order=True).to_list()
    arms = frame["arm"].unique(maintain_order=True).to_list()
    size = (PAGE, min(0.4 + 2.1 * len(patterns), PAGE_HEIGHT))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(patterns), len(arms), squeeze=False, sharey="row", sharex=True)
    looks = strokes(arms)
    for row, pattern in enumerate(patterns):
        for column, arm in enumerate(arms):
            axes = grid[row, column]
            _waterfall(axes, frame.filter(pattern=pattern, arm=arm), looks[arm].colour)
            axes.tick_params(axis="x", rotation=90 if len(arms) > 2 else 0)
            head(axes, row * len(arms) + column, short(arm, 20 if len(arms) > 2 else 44))
        grid[row, 0].set_ylim(top=_top(frame.filter(pattern=pattern)))
        grid[row, 0].set_ylabel(f"{pattern}\n{labels['amount']}")
        show_unit(grid[row, 0].yaxis, labels["amount"].unit)
    return figure


def _top(part: pl.DataFrame) -> float | None:
    """Return the end of a scale with room above the highest bar or interval; bars take none."""
    ends = part.select(pl.col("start") + pl.max_horizontal("amount", "high")).to_series()
    highest = float(str(ends.max() or 0.0))
    return 1.05 * highest if highest > 0 else None


def _waterfall(axes: Axes, part: pl.DataFrame, colour: str) -> None:
    last = part.height - 1
    sns.barplot(
        data=to_pandas(part),
        x="component",
        y="amount",
        bottom=part["start"].to_numpy(),
        ax=axes,
        color=colour,
        alpha=0.75,
        errorbar=None,
        width=0.72,
    )
    axes.patches[last].set(hatch="////", edgecolor="white", linewidth=0)
    ends = part["start"] + part["amount"]
    spread = [(part["amount"] - part["low"]).to_numpy(), (part["high"] - part["amount"]).to_numpy()]
    axes.errorbar(
        range(part.height),
        ends,
        yerr=spread,
        fmt="none",
        ecolor="black",
        elinewidth=0.8,
        capsize=1.5,
    )
    for place, end in enumerate(ends[:-1]):
        axes.plot([place, place + 1], [end, end], color=QUIET, linewidth=0.5, zorder=0)
    axes.set(xlabel="", ylabel="")
    axes.grid(False, axis="x")
    axes.axhline(0, color="black", linewidth=0.6)


CHART = Chart("Who bears the loss", prepare, draw)
