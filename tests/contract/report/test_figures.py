"""Every figure keeps its promises: it draws, it says what and in which unit, its bytes repeat."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import matplotlib.text
import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from stresslab.experiment.study import FIGURE_NAMES
from stresslab.report.chart import Prepared
from stresslab.report.drawing import Drawing, drawings
from stresslab.report.figures import FIGURES
from stresslab.report.labels import FRACTION
from stresslab.report.save import save
from stresslab.report.style import PAGE, PAGE_HEIGHT, theme
from stresslab.results.run import Run
from tests.contract.report.samples import samples
from tests.contract.report.toy_run import ToyRun


def toy_samples() -> dict[str, tuple[str, Prepared]]:
    """Return what a run made by hand gives, for figures that have no sample of their own."""
    with TemporaryDirectory() as folder:
        found = list(drawings(cast(Run, ToyRun(Path(folder))), tuple(FIGURES)))
    return {d.name: (d.name, d.prepared) for d in found if isinstance(d, Drawing)}


SAMPLES = samples()
OWN = {figure for figure, _ in SAMPLES.values()}
SAMPLES |= {name: pair for name, pair in toy_samples().items() if name in {*FIGURES} - OWN}
PLAIN = {figure: sample for name, (figure, sample) in SAMPLES.items() if name == figure}


def from_toy_run(figure: str) -> Prepared:
    """Prepare a figure that has no sample of its own, so that a new one is tested at once."""
    found = next(drawings(cast(Run, ToyRun(Path("nowhere"))), (figure,)))
    assert isinstance(found, Drawing), f"{figure} needs a sample in samples.py"
    return found.prepared


for new in FIGURES.keys() - PLAIN.keys():
    PLAIN[new] = from_toy_run(new)
    SAMPLES[new] = (new, PLAIN[new])

DRAWN: dict[str, Figure] = {}

#: Figures that show the arms or modes by a legend.
WITH_LEGEND = ["response", "differences", "ccdf", "cascade", "path", "liquidation_map"]


def redrawn(figure: str, sample: Prepared) -> Figure:
    with theme():
        return FIGURES[figure].draw(sample.frames, sample.labels)


def drawn(figure: str, sample: Prepared) -> Figure:
    """Draw a sample once for all tests."""
    name = next(n for n, (_, other) in SAMPLES.items() if other is sample)
    if name not in DRAWN:
        DRAWN[name] = redrawn(figure, sample)
        with theme():
            DRAWN[name].draw_without_rendering()
    return DRAWN[name]


def texts(picture: Figure) -> list[str]:
    return [t.get_text() for t in picture.findobj(matplotlib.text.Text) if t.get_visible()]


def marks_of(axes: Axes) -> list[PathCollection]:
    return [m for m in axes.collections if isinstance(m, PathCollection)]


def test_every_figure_is_tested() -> None:
    assert len(FIGURES) >= 9
    assert sorted(PLAIN) == sorted(FIGURES) == FIGURE_NAMES


@pytest.mark.parametrize("name", list(SAMPLES))
def test_no_text_is_cut_off_and_the_figure_fits_the_page(name: str) -> None:
    figure, sample = SAMPLES[name]
    picture = drawn(figure, sample)
    assert picture.axes
    box = picture.get_tightbbox()
    assert box.width <= PAGE + 0.4
    assert box.height <= PAGE_HEIGHT + 0.8
    wide, high = picture.get_size_inches() + 0.4
    assert -0.4 <= box.x0 and box.x1 <= wide and -0.4 <= box.y0 and box.y1 <= high
    for legend in picture.legends:
        inside = legend.get_window_extent()
        assert inside.x0 >= 0 and inside.x1 <= picture.bbox.width


def test_labels_of_a_short_log_axis_stand_apart() -> None:
    picture = drawn("ccdf", SAMPLES["ccdf_narrow"][1])
    for axes in picture.axes:
        ticks = [t for t in axes.get_xticklabels(which="both") if t.get_text()]
        boxes = sorted((t.get_window_extent() for t in ticks), key=lambda box: box.x0)
        assert len(boxes) >= 2
        assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


@pytest.mark.parametrize("figure", list(FIGURES))
def test_quantities_are_named_with_their_units(figure: str) -> None:
    sample = PLAIN[figure]
    shown = " ".join(texts(drawn(figure, sample))).replace("\n", " ").replace("\xa0", " ")
    assert sample.labels
    for label in sample.labels.values():
        unit = "%" if label.unit == FRACTION else label.unit
        assert not unit or f"({unit}" in str(label)
        assert str(label).replace("\xa0", " ") in shown


@pytest.mark.parametrize("figure", WITH_LEGEND)
def test_the_legend_names_every_series(figure: str) -> None:
    picture = drawn(figure, PLAIN[figure])
    assert picture.legends
    named = {t.get_text() for legend in picture.legends for t in legend.get_texts()}
    frame = next(iter(PLAIN[figure].frames.values()))
    key = {"differences": "contrast", "cascade": "asset", "liquidation_map": "series"}.get(
        figure, "arm"
    )
    if figure == "path":
        assert {"index", "forced orders, cross", "forced orders, isolated"} <= named
    else:
        assert set(frame[key].cast(pl.String)) <= named


def test_marks_of_liquidations_lie_inside_their_panels() -> None:
    """A mark is wider than the price it stands at, so the scale leaves room for half of it."""
    frames = dict(PLAIN["path"].frames)
    top = frames["prices"]["mark"].max()
    frames["liquidations"] = frames["liquidations"].with_columns(
        mark=pl.lit(top), notional_usd=pl.lit(1e6)
    )
    picture = redrawn("path", replace(PLAIN["path"], frames=frames))
    with theme():
        picture.draw_without_rendering()
    marks = [(axes, found) for axes in picture.axes for found in marks_of(axes)]
    assert marks
    for axes, collection in marks:
        heights = axes.transData.transform(collection.get_offsets())[:, 1]
        radii = np.sqrt(collection.get_sizes()) / 2 * picture.dpi / 72
        assert np.all(axes.bbox.y0 <= heights - radii)
        assert np.all(heights + radii <= axes.bbox.y1)


def test_bars_leave_room_below_the_frame() -> None:
    """Also where the last part is zero and there are no intervals: matplotlib leaves none there."""
    part, before_last = pl.col("component"), pl.col("start").max().over("pattern", "arm")
    amount = pl.when(part == "socialised").then(0.0).when(part == "total").then(before_last)
    frame = PLAIN["waterfall"].frames["waterfall"].with_columns(amount=amount.otherwise("amount"))
    frame = frame.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    picture = redrawn("waterfall", replace(PLAIN["waterfall"], frames={"waterfall": frame}))
    assert picture.axes
    for axes in picture.axes:
        highest = max(bar.get_y() + bar.get_height() for bar in axes.patches)
        assert 0 < highest < 0.97 * axes.get_ylim()[1]


@pytest.mark.parametrize("figure", ["path", "cascade"])
def test_sizes_in_the_legend_are_to_scale(figure: str) -> None:
    sample = PLAIN[figure]
    picture = drawn(figure, sample)
    (ring,) = [h for h in picture.legends[0].legend_handles if "largest: " in h.get_label()]
    areas = np.concatenate([m.get_sizes() for a in picture.axes for m in marks_of(a)])
    number, _, prefix = (
        ring.get_label().removeprefix("largest: ").partition(" USD")[0].partition(" ")
    )
    shown = float(number) * {"": 1.0, "k": 1e3, "m": 1e6}[prefix]
    largest = float(max(f["notional_usd"].max() for f in sample.frames.values() if "mode" in f))
    smallest = {"path": 6.0, "cascade": 12.0}[figure]
    expected = smallest + (areas.max() - smallest) * shown / largest
    assert ring.get_markersize() ** 2 == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("figure", list(FIGURES))
def test_files_are_the_same_bytes_each_time_and_hold_the_data(figure: str, tmp_path: Path) -> None:
    sample = PLAIN[figure]
    first = save(redrawn(figure, sample), sample.frames, tmp_path / "a", figure)
    second = save(redrawn(figure, sample), sample.frames, tmp_path / "b", figure)
    assert {p.suffix for p in first} == {".pdf", ".svg", ".png", ".csv", ".parquet"}
    for one, two in zip(first, second, strict=True):
        assert one.stat().st_size > 100
        assert one.read_bytes() == two.read_bytes(), one.name
    for key, frame in sample.frames.items():
        stem = figure if len(sample.frames) == 1 else f"{figure}_{key}"
        assert frame.height
        assert pl.read_parquet(tmp_path / "a" / f"{stem}.parquet").rows() == frame.rows()
        assert pl.read_csv(tmp_path / "a" / f"{stem}.csv").height == frame.height
