"""Theory before the first step agrees with the engine where theory is exact."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.cli import main
from stresslab.experiment.config import read_config
from stresslab.report import criticality as report
from stresslab.validation.criticality import Sweep, compare, forecast
from stresslab.validation.criticality.comparison import COMPARED, next_size
from stresslab.validation.criticality.forecast import critical_shock
from stresslab.validation.uniform_field import PRICE_USD, scenario

DEPTHS = (np.arange(40) + 0.5) / 0.5  # 40 longs over 80 ticks, evenly
SIZES = (10 / PRICE_USD, 30 / PRICE_USD, 60 / PRICE_USD)


def study(**changes: Any) -> dict[str, Any]:
    even = scenario([DEPTHS], steps=2)
    del even["traders"]["seller"]
    shock = {"assets": ["M0"], "fall": 0.1, "at_seconds": 1.0, "over_seconds": 0.0}
    even["market"]["shocks"] = {"fall": shock}
    return {"name": "even", "seed": 1, "scenario": even | changes,
            "designs": {"one": {"replicates": 1}}}  # fmt: skip


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return Sweep(read_config(study()), SIZES, replicates=1)


def test_the_engine_ends_where_theory_says(sweep: Sweep, tmp_path: Path) -> None:
    """10 and 30 ticks of shock become 20 and 60; 60 take the whole band: 60 + 40."""
    found = compare(sweep, tmp_path, workers=1)
    assert [row["size"] for row in found.rows] == list(SIZES)
    falls = [row["predicted_price_fall"] * PRICE_USD for row in found.rows]
    assert falls == pytest.approx([20.0, 60.0, 100.0], abs=1.01)
    for row in found.rows:
        for name in COMPARED:
            assert row[f"predicted_{name}"] > 0
            assert row[f"observed_{name}"] == pytest.approx(row[f"predicted_{name}"], rel=0.01)
    figure = report.draw(report.summary(found))
    assert len(figure.axes) == len(COMPARED)


def test_the_engine_ends_where_theory_says_with_stop_orders_too(tmp_path: Path) -> None:
    """Stops of 40 % of the holders let the mark fall further and leave less to be liquidated."""
    config = Path(__file__).parents[2] / "data" / "two_assets.yaml"
    holders = {"kind": "leveraged_speculator", "exit_probability": 0, "entry_probability": 0}
    path = "scenario.traders.speculators.strategy"
    found = {}
    for share in (0, 0.4):
        settings = [f"{path}={json.dumps(holders | {'stop_share': share, 'topup_share': 0})}"]
        sweep = Sweep(read_config(config, settings), (0.1,), replicates=1)
        (found[share],) = compare(sweep, tmp_path / str(share), workers=1).rows
    for row in found.values():
        assert row["observed_forced_notional_usd"] > 0
        for name in COMPARED:
            assert row[f"predicted_{name}"] == pytest.approx(row[f"observed_{name}"], rel=1e-3)
    falls = [found[share]["observed_price_fall"] for share in (0, 0.4)]
    notional = [found[share]["observed_forced_notional_usd"] for share in (0, 0.4)]
    assert falls[1] > falls[0] and notional[1] < notional[0]


def test_the_forecast_of_an_even_field(sweep: Sweep) -> None:
    ahead = forecast(sweep)
    assert ahead.map_usd["M0"].sum(axis=1).max() == 40 * PRICE_USD
    assert ahead.radius == pytest.approx(40 / 10_000)  # all 40 lie within the 1 % of the measure
    assert ahead.critical == [math.inf] and ahead.radius_each == [ahead.radius]
    assert list(ahead.two_ends) == list(SIZES)
    told = json.loads(json.dumps(report.plain(sweep, ahead, None), allow_nan=False))
    assert told["critical_shock"]["predicted"]["by_replicate"] == [None]


def test_feedback_that_is_off_moves_no_mark() -> None:
    liquidation = study()["scenario"]["liquidation"] | {"feedback": "no_feedback"}
    sweep = Sweep(read_config(study(liquidation=liquidation)), SIZES, replicates=1)
    assert forecast(sweep).radius == 0.0


def test_a_config_without_a_shock_gets_one() -> None:
    config = study()
    del config["scenario"]["market"]["shocks"]
    sweep = Sweep(read_config(config), SIZES, replicates=1)
    assert sweep.shock["assets"] == ["M0"] and sweep.shocked.tolist() == [True]


def test_the_critical_shock_is_the_least_runaway() -> None:
    assert critical_shock([0.1, 0.2], [0.0, 0.04]) == math.inf
    assert critical_shock([0.1, 0.2, 0.3], [0.01, 0.2, 0.3]) == 0.2


def test_the_command_tells_theory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(__file__).parents[2] / "data" / "two_assets.yaml"
    assert main(["criticality", str(config), "--theory", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "spectral radius before the shock" in text and "liquidation map" in text
    assert json.loads((tmp_path / "criticality.json").read_text())["types"]
    assert main(["criticality", str(config), "--sizes", "a,b"]) == 2
    assert main(["criticality", str(config), "--sizes", "1.5", "--theory"]) == 2


def test_the_summary_has_an_interval_over_replicates() -> None:
    from stresslab.validation.criticality import Comparison

    rows: list[dict[str, float | int]] = [
        {"size": 0.1, "replicate": number,
         **{f"predicted_{name}": 1.0 for name in COMPARED},
         **{f"observed_{name}": 1.0 + number for name in COMPARED}}
        for number in range(3)
    ]  # fmt: skip
    frame = report.summary(Comparison(rows, []))
    assert frame["observed"].to_list() == [2.0] * 3
    assert frame.filter(pl.col("low") < 2, pl.col("high") > 2).height == 3


def seen(
    critical: dict[int, float], sizes: list[float]
) -> dict[tuple[float, int], dict[str, float]]:
    """Return outcomes of replicates that run away from their critical shock on."""
    return {(size, number): {"overshoot": 0.5 * (size >= shock)}
            for size in sizes for number, shock in critical.items()}  # fmt: skip


def test_bisection_finds_the_median_critical_shock() -> None:
    """Critical shocks of 0.13, 0.17 and 0.31: the median is found to 0.01 in five more sizes."""
    critical, sizes, tried = {0: 0.13, 1: 0.17, 2: 0.31}, [0.1, 0.4], 0
    while (size := next_size(seen(critical, sizes), sizes, 0.01)) is not None:
        sizes, tried = sorted([*sizes, size]), tried + 1
    assert tried == 5
    below = max(size for size in sizes if size < 0.17)
    above = min(size for size in sizes if size >= 0.17)
    assert 0 < above - below <= 0.01


def test_bisection_needs_a_runaway() -> None:
    assert next_size(seen({0: 0.9}, [0.1, 0.4]), [0.1, 0.4], 0.01) is None
    assert next_size(seen({0: 0.0}, [0.1]), [0.1], 0.01) == 0.05


@given(st.lists(st.floats(0.01, 0.9), min_size=1, max_size=7), st.floats(0.005, 0.1))
def test_bisection_closes_in_on_any_median(shocks: list[float], width: float) -> None:
    critical, sizes = dict(enumerate(shocks)), [0.95]
    while (size := next_size(seen(critical, sizes), sizes, width)) is not None:
        sizes = sorted([*sizes, size])
        assert len(sizes) < 12
    middle = sorted(shocks)[(len(shocks) - 1) // 2]  # half of the replicates fall at this size
    reached = min(size for size in sizes if size >= middle)
    below = max([size for size in sizes if size < reached], default=0.0)
    assert reached - below <= width
