"""Outcomes against whatever a design varies, by arm: lines over a number, or rows of points."""

from __future__ import annotations

from matplotlib.figure import Figure

from stresslab.report.chart import Chart, Frames, Labels, Prepared
from stresslab.report.levels import MEANS, is_response, lay_out, means
from stresslab.report.missing import NotInRun
from stresslab.report.points import draw_points
from stresslab.report.source import Source
from stresslab.report.style import strokes


def prepare(source: Source) -> Prepared:
    """Take means over replicates at every point, arm by arm."""
    if not source.done.height:
        raise NotInRun(f"no cell of design {source.design} is finished")
    if is_response(source):
        raise NotInRun("only shocks and shares of cross margin vary, which other figures show")
    layout = lay_out(source)
    frame = layout.estimates(means)
    return Prepared({"design": frame}, layout.labels(frame), f"{MEANS}{layout.words}")


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per shock and outcome: lines over a number, or rows of points without one.

    ``design``: pattern (which assets are shocked; its panels share the scale of an outcome), panel
    (title), factor (what x is a value of, empty for rows), row (values of what has no axis),
    outcome, arm, x, mid, low, high (estimate and interval), n (replicates).
    """
    return draw_points(frames["design"], labels, strokes(frames["design"]["arm"]))


CHART = Chart("Outcomes over the points of a design", prepare, draw)
