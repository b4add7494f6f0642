"""How often a cascade is at least so large: complementary distribution of sizes, by arm."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from stresslab.analysis.distributions import pooled_ccdf
from stresslab.report.axes import head, line, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.labels import Label, short, show_unit
from stresslab.report.missing import NotInRun
from stresslab.report.source import Source
from stresslab.report.style import QUIET, Stroke, strokes
from stresslab.report.tails import tail

_MEASURES = {
    "accounts": Label("accounts in the cascade tree"),
    "notional_usd": Label("forced notional of the cascade tree", "USD"),
}
_FEW_DECADES = 10**1.5  # last over first size

#: Steps of a curve that a picture can show.
_MOST_SIZES = 300

_GUIDES = {
    "pattern": pl.String,
    "measure": pl.String,
    "arm": pl.String,
    "exponent": pl.Float64,
    "size": pl.Float64,
    "at_least": pl.Float64,
}


def prepare(source: Source) -> Prepared:
    """Take the cascade trees of all replicates, at the shock size where trees are largest."""
    rows = pl.concat([source.at_focus(pattern) for pattern in source.patterns or [""]])
    trees = source.long("liquidation_sizes", rows)
    if not trees.height:
        raise NotInRun("nobody was liquidated in any run")
    shares, guides = [], []
    for measure in _MEASURES:
        for (pattern, arm), part in rows.group_by("pattern", "arm", maintain_order=True):
            of_arm = trees.filter(pl.col(measure) > 0, pattern=pattern, arm=arm)
            if of_arm.height:
                named = {"pattern": pl.lit(pattern), "measure": pl.lit(measure), "arm": pl.lit(arm)}
                shares.append(_shares(part, of_arm, measure).with_columns(**named))
                guides += _guide(str(pattern), measure, str(arm), of_arm[measure].to_list())
    columns = ("pattern", "measure", "arm", "size", "at_least", "low", "high", "trees")
    frames = {
        "ccdf": pl.concat(shares).select(columns),
        "guides": pl.DataFrame(guides, _GUIDES, orient="row"),
    }
    text = (
        f"Cascade trees of all replicates ({rows['cell'].n_unique()} runs) at the shock size with "
        f"the largest trees ({source.sizes(rows)}): ratio of sums over replicates; band: 95 % "
        "jackknife interval, which leaves out one replicate after the other. Straight lines: Hill "
        "estimate of the largest quarter, drawn where that holds 50 trees over 1.5 decades and is "
        f"straight (5 %). A curve is drawn at {_MOST_SIZES} of its sizes at most."
    )
    labels = {**_MEASURES, "at_least": Label("share of trees at least so large")}
    return Prepared(frames, labels, text)


def _shares(runs: pl.DataFrame, trees: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Return how many trees are at least as large, at the sizes that occur, over all runs."""
    found = dict(trees.group_by("replicate").agg(measure).rows())
    groups = [np.array(found.get(r, []), dtype=float) for r in runs["replicate"].sort()]
    seen, shares = pooled_ccdf(groups)
    frame = pl.DataFrame({"size": seen, **shares}).with_columns(trees=pl.lit(trees.height))
    return frame[_thinned(frame["at_least"].to_numpy())].fill_nan(None)


def _thinned(at_least: np.ndarray) -> np.ndarray:
    """Return rows at equal distances of the logarithm of their share, first and last included."""
    if len(at_least) <= _MOST_SIZES:
        return np.arange(len(at_least))
    wanted = np.geomspace(at_least[-1], at_least[0], _MOST_SIZES)
    places = len(at_least) - 1 - np.searchsorted(at_least[::-1], wanted)
    return np.unique(np.clip(places, 0, len(at_least) - 1))


def _guide(pattern: str, measure: str, arm: str, sizes: list[float]) -> list[tuple[object, ...]]:
    """Return the two ends of a straight line a little above the tail, if there is a tail."""
    found = tail(sizes)
    if found is None:
        return []
    exponent, first, last = found
    start = 1.5 * sum(size >= first for size in sizes) / len(sizes)
    ends = ((first, start), (last, start * (last / first) ** -exponent))
    return [(pattern, measure, arm, exponent, size, share) for size, share in ends]


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw one log-log panel per shocked set and measure of size.

    ``ccdf``: pattern, measure, arm, size (above zero), at_least (share of trees at least so
    large), low, high (interval), trees (how many).
    ``guides``: pattern, measure, arm, exponent, size, at_least: two rows are the ends of a
    straight guide; no rows where the data do not carry a tail.
    """
    sizes, guides = frames["ccdf"], frames["guides"]
    places = sizes.select("measure", "pattern").unique(maintain_order=True).rows()
    looks = strokes(sizes["arm"])
    figure, grid = panels(len(places), columns=2, height=2.4)
    for place, (axes, (measure, pattern)) in enumerate(zip(grid, places, strict=True)):
        _panel(axes, sizes.filter(measure=measure, pattern=pattern), looks)
        _guides(axes, guides.filter(measure=measure, pattern=pattern), looks)
        axes.set(xlabel=labels[measure].wrapped(40), ylabel=labels["at_least"].wrapped(40))
        _few_ticks(axes)
        show_unit(axes.xaxis, labels[measure].unit)
        head(axes, place, pattern)
    series_legend(figure, looks)
    return figure


def _panel(axes: Axes, part: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    axes.set(xscale="log", yscale="log")
    for name, stroke in looks.items():
        steps = part.filter(arm=name).sort("size")
        if steps.height:
            axes.fill_between(
                steps["size"].to_numpy(),
                steps["low"].to_numpy(),
                steps["high"].to_numpy(),
                step="pre",
                color=stroke.colour,
                alpha=0.12,
                linewidth=0,
            )
            line(axes, steps, stroke, "size", "at_least", drawstyle="steps-pre", markevery=0.12)


def _few_ticks(axes: Axes) -> None:
    """Label decades, and 2 and 5 between them where there are few; nothing else has a label."""
    for axis, (first, last) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_minor_formatter(NullFormatter())
        if last / first < _FEW_DECADES:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            show_unit(axis, "")


def _guides(axes: Axes, guides: pl.DataFrame, looks: dict[str, Stroke]) -> None:
    """Draw each guide in the colour of its arm, above the curve that it belongs to."""
    for place, (key, ends) in enumerate(guides.group_by("arm", "exponent", maintain_order=True)):
        arm, exponent = key
        colour = looks[str(arm)].colour
        axes.plot(ends["size"], ends["at_least"], color=colour, linewidth=0.8, zorder=4)
        axes.text(
            0.03,
            0.04 + 0.07 * place,
            f"slope of {short(str(arm))}: −{exponent:.2f}",
            transform=axes.transAxes,
            ha="left",
            va="bottom",
            color=QUIET,
            fontsize=6,
        )


CHART = Chart("Sizes of cascades", prepare, draw, every_design=False)
