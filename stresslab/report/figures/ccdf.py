"""How often a cascade is at least so large: complementary distribution of sizes, by arm."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.analysis.intervals import wilson
from stresslab.contagion.long import liquidation_sizes
from stresslab.report.axes import head, line, panels, series_legend
from stresslab.report.chart import Chart, Frames, Labels, NotInRun, Prepared
from stresslab.report.labels import Label, short, show_unit
from stresslab.report.source import Source
from stresslab.report.style import QUIET, Stroke, strokes
from stresslab.report.tails import tail

_MEASURES = {
    "accounts": Label("accounts in the cascade tree"),
    "notional_usd": Label("forced notional of the cascade tree", "USD"),
}
_SIZES = {
    "pattern": pl.String,
    "x": pl.Float64,
    "arm": pl.String,
    "accounts": pl.Float64,
    "notional_usd": pl.Float64,
}
_SHARES = {"at_least": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_GUIDES = {
    "pattern": pl.String,
    "measure": pl.String,
    "arm": pl.String,
    "exponent": pl.Float64,
    "size": pl.Float64,
    "at_least": pl.Float64,
}


def prepare(source: Source) -> Prepared:
    """Take the cascade trees of the runs that keep their events, where trees are largest."""
    trees, runs = _trees(source)
    shares, guides = [], []
    for measure in _MEASURES:
        sizes = trees.select("pattern", "arm", size=measure).filter(pl.col("size") > 0)
        for (pattern, arm), part in sizes.group_by("pattern", "arm", maintain_order=True):
            shares.append(_shares(part).with_columns(measure=pl.lit(measure)))
            guides += _guide(str(pattern), measure, str(arm), part["size"].to_list())
    if not shares:
        raise NotInRun("nobody was liquidated in the runs that keep their events")
    columns = ("pattern", "measure", "arm", "size", "at_least", "low", "high", "trees")
    frames = {
        "ccdf": pl.concat(shares).select(columns).sort("measure", maintain_order=True),
        "guides": pl.DataFrame(guides, _GUIDES, orient="row"),
    }
    text = (
        f"Cascade trees of {runs} runs that keep their events, at the shock size with the largest "
        f"trees ({source.sizes(trees)}); band: 95 % Wilson interval, which takes trees for "
        "independent, though those of one run are not; straight lines: Hill estimate of the "
        "largest quarter, drawn where that holds 50 trees over 1.5 decades and is straight (5 %)."
    )
    labels = {**_MEASURES, "at_least": Label("share of trees at least so large")}
    return Prepared(frames, labels, text)


def _trees(source: Source) -> tuple[pl.DataFrame, int]:
    parts, runs = [pl.DataFrame(schema=_SIZES)], 0
    for pattern in source.patterns:
        for x, arm, cell in source.kept_at_focus(pattern).select("x", "arm", "cell").rows():
            found = liquidation_sizes(source.contagion(cell))
            sizes = pl.DataFrame({name: found[name].astype(float) for name in _MEASURES})
            place = {"pattern": pl.lit(pattern), "x": pl.lit(x, pl.Float64), "arm": pl.lit(arm)}
            parts.append(sizes.with_columns(**place).select(list(_SIZES)))
            runs += 1
    return pl.concat(parts), runs


def _shares(part: pl.DataFrame) -> pl.DataFrame:
    """Return how many trees are at least as large, at every size that occurs."""
    n = part.height
    counts = part.group_by("pattern", "arm", "size").len().sort("size", descending=True)
    at_least = counts["len"].cum_sum().to_list()
    found = pl.DataFrame([wilson(k, n) for k in at_least], _SHARES, orient="row")
    return counts.drop("len").hstack(found).with_columns(trees=pl.lit(n))


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
        _guides(axes, guides.filter(measure=measure, pattern=pattern))
        axes.set(xlabel=labels[measure].wrapped(40), ylabel=labels["at_least"].wrapped(40))
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


def _guides(axes: Axes, guides: pl.DataFrame) -> None:
    for place, (key, ends) in enumerate(guides.group_by("arm", "exponent", maintain_order=True)):
        arm, exponent = key
        axes.plot(ends["size"], ends["at_least"], color="black", linewidth=0.8, zorder=4)
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
