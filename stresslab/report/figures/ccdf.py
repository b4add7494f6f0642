"""How often a cascade is at least so large: complementary distribution of sizes, by arm."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stresslab.report.axes import head, line, note, panels, series_legend
from stresslab.report.chart import Frames, Labels
from stresslab.report.labels import short, show_unit
from stresslab.report.style import QUIET, Stroke, strokes


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw one log-log panel per measure of size.

    ``ccdf``: measure, arm, size (above zero), at_least (share of runs with a cascade at least so
    large, among all runs, those without a cascade too), low, high (Wilson interval).
    ``guides``: measure, arm, exponent, size, at_least: two rows are the ends of a straight guide;
    no rows where the data do not carry a tail fit.
    """
    sizes, guides = frames["ccdf"], frames["guides"]
    measures = sizes["measure"].unique(maintain_order=True).to_list()
    looks = strokes(sizes["arm"])
    figure, grid = panels(len(measures), columns=3, height=2.4)
    for place, (axes, measure) in enumerate(zip(grid, measures, strict=True)):
        _panel(axes, sizes.filter(measure=measure), looks)
        _guides(axes, guides.filter(measure=measure))
        axes.set(xlabel=labels[measure].wrapped(), ylabel=labels["at_least"].wrapped())
        show_unit(axes.xaxis, labels[measure].unit)
        head(axes, place, "")
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
    if not part.height:
        note(axes, "no cascade in any run")


def _guides(axes: Axes, guides: pl.DataFrame) -> None:
    for place, (key, ends) in enumerate(guides.group_by("arm", "exponent", maintain_order=True)):
        arm, exponent = key
        axes.plot(ends["size"], ends["at_least"], color="black", linewidth=0.8, zorder=4)
        axes.text(
            0.97,
            0.96 - 0.07 * place,
            f"slope of {short(str(arm))}: −{exponent:.2f}",
            transform=axes.transAxes,
            ha="right",
            va="top",
            color=QUIET,
            fontsize=6,
        )
