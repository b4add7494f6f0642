"""Figures of validation experiments show intervals of either kind and label short axes."""

from __future__ import annotations

from matplotlib.collections import LineCollection, PolyCollection

from stresslab.report.verdicts import draw
from stresslab.validation.verdicts import Panel, Series

X, Y, LOW, HIGH = (2.0, 20.0), (3.0, 30.0), (2.5, 25.0), (3.5, 35.0)


def test_what_is_expected_has_its_band_and_bars_are_bars() -> None:
    figure = draw((Panel("a", "x", "y", (
        Series("measured", X, Y, low=LOW, high=HIGH, has_bars=True),
        Series("expected", X, Y, low=LOW, high=HIGH, is_expected=True))),))  # fmt: skip
    (axes,) = figure.axes
    kinds = [type(each) for each in axes.collections]
    assert kinds.count(LineCollection) == 1
    assert sum(issubclass(kind, PolyCollection) for kind in kinds) == 1
    assert [line.get_linestyle() for line in axes.lines] == ["None", "-"]


def test_a_log_axis_within_two_powers_of_ten_is_labelled_between_them() -> None:
    long = Series("long", (1.0, 4000.0), Y)
    for series, wanted in ((Series("short", X, Y), {"2", "5", "10", "20"}), (long, set())):
        figure = draw((Panel("a", "x", "y", (series,), "log"),))
        figure.draw_without_rendering()
        (axes,) = figure.axes
        labels = {label.get_text() for label in axes.get_xticklabels()}
        assert wanted <= labels and (wanted or "5" not in labels)
