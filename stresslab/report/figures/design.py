"""Outcomes against whatever a design varies, by arm: lines over a number, or rows of points."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.figure import Figure

from stresslab.analysis.summaries import probabilities, summarise
from stresslab.report.chart import Chart, Frames, Labels, NotInRun, Prepared
from stresslab.report.levels import is_response, lay_out
from stresslab.report.points import draw_points
from stresslab.report.source import STUDENT, Source
from stresslab.report.style import strokes
from stresslab.report.words import is_yes_or_no


def prepare(source: Source) -> Prepared:
    """Take means over replicates at every point, arm by arm."""
    if not source.done.height:
        raise NotInRun(f"no cell of design {source.design} is finished")
    if is_response(source):
        raise NotInRun(f"design {source.design} varies shocks and shares only, as shown elsewhere")
    layout = lay_out(source)
    frame = layout.estimates(_estimate)
    text = (
        f"Mean over replicates by arm, with {STUDENT}; of what happens or not the probability, "
        f"with 95 % Wilson interval.{layout.words}"
    )
    return Prepared({"design": frame}, layout.labels(frame), text)


def _estimate(cells: pl.DataFrame, outcomes: Sequence[str]) -> pl.DataFrame:
    chances = [name for name in outcomes if is_yes_or_no(name)]
    means = [name for name in outcomes if name not in chances]
    found = [
        summarise(cells, means).rename({"mean": "mid"}),
        probabilities(cells, chances).rename({"probability": "mid"}),
    ]
    shared = [name for name in found[1].columns if name in found[0].columns]
    return pl.concat([part.select(shared) for part in found])


def draw(frames: Frames, labels: Labels) -> Figure:
    """Draw a panel per shock and outcome: lines over a number, or rows of points without one.

    ``design``: pattern (which assets are shocked; its panels share the scale of an outcome), panel
    (title), factor (what x is a value of, empty for rows), row (values of what has no axis),
    outcome, arm, x, mid, low, high (estimate and interval), n (replicates).
    """
    return draw_points(frames["design"], labels, strokes(frames["design"]["arm"]))


CHART = Chart("Outcomes over the points of a design", prepare, draw)
