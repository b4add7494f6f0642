from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from stresslab.experiment.points import written_points
from stresslab.experiment.sobol import sobol_unit

A, B = "scenario.a", "scenario.b"


def _points(form: str, content: Any, seed: int = 1) -> list[dict[str, Any]]:
    points = written_points({form: content}, seed)
    return [{path: value for path, (value, _) in point.items()} for point in points]


def test_a_design_without_points_has_one() -> None:
    assert written_points({"grid": None, "zip": None}, 1) == [{}]


def test_the_last_path_of_a_grid_varies_fastest() -> None:
    points = _points("grid", {A: [1, 2], B: ["x", "y"]})
    assert points == [{A: 1, B: "x"}, {A: 1, B: "y"}, {A: 2, B: "x"}, {A: 2, B: "y"}]


def test_a_zip_pairs_values_and_a_list_is_taken_as_written() -> None:
    assert _points("zip", {A: [1, 2], B: [3, 4]}) == [{A: 1, B: 3}, {A: 2, B: 4}]
    assert _points("list", [{A: 1}, {B: 2}]) == [{A: 1}, {B: 2}]


def _sample(n: int, scale: str = "linear") -> dict[str, Any]:
    ranges = {path: {"low": 1.0, "high": 101.0, "scale": scale} for path in (A, B)}
    return {"samples": n, "ranges": ranges}


def test_a_latin_hypercube_has_one_value_in_each_interval() -> None:
    points = _points("latin_hypercube", _sample(20))
    for path in (A, B):
        intervals = sorted(int((point[path] - 1.0) / 5.0) for point in points)
        assert intervals == list(range(20))
    assert [p[A] for p in points] != [p[B] for p in points]
    assert points == _points("latin_hypercube", _sample(20))
    assert points != _points("latin_hypercube", _sample(20), seed=2)


def test_a_log_scale_is_even_in_the_log() -> None:
    values = [point[A] for point in _points("sobol", _sample(2, scale="log"))]
    assert values == pytest.approx([101**0.25, 101**0.75])


@pytest.mark.parametrize("n_dimensions", range(1, 11))
def test_the_sobol_sequence_is_that_of_scipy(n_dimensions: int) -> None:
    expected = qmc.Sobol(n_dimensions, scramble=False).random(256) + 0.5 / 256
    assert np.array_equal(np.array(sobol_unit(256, n_dimensions)).T, expected)
