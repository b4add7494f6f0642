"""Index paths: shocks fall as written, chance is shared, replay follows its bars."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.core.errors import ConfigError
from stresslab.core.random import Streams
from stresslab.market.index import bar_points, index_path, shock_factor
from stresslab.market.rules import INDEX_MODELS, Asset, Shock


def asset(price=100.0):
    return build(Asset, {"initial_price_usd": price, "tick_size_usd": 0.01, "lot_size": 1.0})


def path(kind, shocks=(), *, n_steps=10, burn_in=0.0, assets=("BTC", "ETH"), replicate=0, **model):
    return index_path(
        {name: asset() for name in assets},
        build(INDEX_MODELS[kind], model),
        {str(place): build(Shock, shock) for place, shock in enumerate(shocks)},
        n_steps,
        2.0,
        burn_in,
        Streams(1, replicate),
    )


FALL = {"assets": ["ETH"], "fall": 0.4, "at_seconds": 4.0}


def test_a_shock_falls_in_the_step_of_its_time_and_stays():
    found = path("constant", [FALL])
    assert found[:, 0].tolist() == [10_000] * 11
    assert found[:, 1].tolist() == [10_000] * 2 + [6000] * 9


def test_a_slow_shock_is_a_line():
    found = path("constant", [{**FALL, "over_seconds": 8.0}])
    assert found[:, 1].tolist() == [10_000] * 3 + [9000, 8000, 7000] + [6000] * 5


def test_shocks_are_timed_from_the_end_of_the_burn_in():
    found = path("constant", [FALL], burn_in=6.0)
    assert found[:, 1].tolist() == [10_000] * 5 + [6000] * 6


def test_two_shocks_multiply():
    found = path("constant", [FALL, {**FALL, "fall": 0.5, "at_seconds": 10.0}])
    assert found[4, 1] == 6000 and found[-1, 1] == 3000


def test_a_price_never_falls_below_one_tick():
    assert path("constant", [{**FALL, "fall": 0.999999}])[-1, 1] == 1


def test_a_shock_factor_goes_from_one_to_what_is_left():
    shock = build(Shock, {**FALL, "over_seconds": 4.0})
    seconds = np.array([0.0, 4.0, 5.0, 6.0, 8.0, 100.0])
    assert shock_factor(shock, seconds).tolist() == pytest.approx([1, 1, 0.9, 0.8, 0.6, 0.6])


def test_brownian_paths_have_their_volatility_and_correlation():
    """20,000 steps of 2 s on a grid of ticks much finer than a step's move."""
    assets = {name: build(Asset, {"initial_price_usd": 40_000.0, "tick_size_usd": 0.01,
                                  "lot_size": 1.0}) for name in ("A", "B", "C")}  # fmt: skip
    model = build(INDEX_MODELS["brownian"], {"daily_volatility": 0.3, "correlation": 0.6,
                                             "volatility_by_asset": {"C": 0.6}})  # fmt: skip
    ticks = index_path(assets, model, {}, 20_000, 2.0, 0.0, Streams(1, 0))
    returns = np.diff(np.log(ticks), axis=0)
    scale = returns.std(axis=0) / np.sqrt(2.0 / 86_400.0)
    assert scale == pytest.approx([0.3, 0.3, 0.6], rel=0.02)
    correlation = np.corrcoef(returns.T)
    assert correlation[np.triu_indices(3, 1)] == pytest.approx([0.6] * 3, abs=0.02)


def test_a_brownian_price_has_no_drift_so_its_logarithm_has():
    """200 assets, 25 hours, 100 % a day: log prices end half a variance lower on average."""
    million = build(Asset, {"initial_price_usd": 40_000.0, "tick_size_usd": 0.01, "lot_size": 1.0})
    model = build(INDEX_MODELS["brownian"], {"daily_volatility": 1.0})
    assets = {str(a): million for a in range(200)}
    ticks = index_path(assets, model, {}, 25, 3600.0, 0.0, Streams(1, 0))
    ends = np.log(ticks[-1] / ticks[0])
    variance = 25 / 24
    assert ends.mean() == pytest.approx(-variance / 2, abs=3 * np.sqrt(variance / 200))


def test_a_reverting_index_is_an_autoregression_around_its_start():
    """Half of the distance is made good in 4 steps of an hour; 30 assets, 2,000 steps."""
    million = build(Asset, {"initial_price_usd": 40_000.0, "tick_size_usd": 0.01, "lot_size": 1.0})
    model = build(
        INDEX_MODELS["reverting"], {"daily_volatility": 0.24, "half_life_seconds": 14_400.0}
    )
    assets = {str(a): million for a in range(30)}
    ticks = index_path(assets, model, {}, 2000, 3600.0, 0.0, Streams(1, 0))
    distance = np.log(ticks / ticks[0])
    kept = 0.5**0.25
    moves = distance[1:] - kept * distance[:-1]
    assert moves.std() == pytest.approx(0.24 / np.sqrt(24), rel=0.02)
    assert abs(np.mean(moves[1:] * moves[:-1])) < 0.02 * moves.var()
    assert distance[100:].std() == pytest.approx(moves.std() / np.sqrt(1 - kept**2), rel=0.04)


def test_shocks_and_new_assets_leave_the_luck_of_others_alone():
    calm = path("brownian", daily_volatility=0.5)
    shocked = path("brownian", [FALL], daily_volatility=0.5)
    more = path("brownian", assets=("BTC", "ETH", "SOL"), daily_volatility=0.5)
    assert len(set(calm[:, 0].tolist())) > 5
    assert shocked[:, 0].tolist() == calm[:, 0].tolist()
    assert shocked[2:, 1] == pytest.approx(0.6 * calm[2:, 1], abs=1.0)
    assert more[:, :2].tolist() == calm.tolist()
    assert path("brownian", daily_volatility=0.5, replicate=1).tolist() != calm.tolist()


def bars(tmp_path, rows):
    file = tmp_path / "bars.csv"
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    file.write_text("open_time,open,high,low,close\n" + text)
    return str(file)


def test_a_bar_visits_its_nearer_extreme_first():
    """Open 100, low 96 is nearer than high 110."""
    bars = [(0, 100.0, 110.0, 96.0, 105.0), (60, 105.0, 106.0, 90.0, 91.0)]
    times, prices = bar_points(bars, 6.0)
    assert prices.tolist() == [100, 96, 110, 105, 105, 106, 90, 91]
    assert times.tolist() == pytest.approx([0, 2, 4, 6, 6, 8, 10, 12], abs=1e-6)


def test_a_replay_follows_its_bars_scaled_to_each_asset(tmp_path):
    file = bars(tmp_path, [(0, 50, 55, 48, 52.5), (12, 52.5, 52.5, 40, 45)])
    model = {"file": file, "bar_seconds": 12.0, "assets": ["BTC"], "start_time": 0}
    declared = build(INDEX_MODELS["replay"], model)
    assets = {"BTC": asset(), "ETH": asset()}
    found = index_path(assets, declared, {}, 12, 2.0, 0.0, Streams(1, 0))
    assert found[:, 1].tolist() == [10_000] * 13
    assert found[0, 0] == 10_000
    assert (found[2, 0], found[4, 0], found[6, 0]) == (9600, 11_000, 10_500)
    assert found[-1, 0] == 9000 and found[:, 0].min() == 8000


def test_a_replay_that_ends_before_the_run_is_refused(tmp_path):
    file = bars(tmp_path, [(0, 50, 55, 48, 52.5), (12, 52.5, 52.5, 40, 45)])
    model = build(INDEX_MODELS["replay"], {"file": file, "bar_seconds": 12.0, "assets": ["BTC"],
                                           "start_time": 12})  # fmt: skip
    with pytest.raises(ConfigError, match="holds 1 bars from start_time 12; the run needs 2"):
        index_path({"BTC": asset()}, model, {}, 12, 2.0, 0.0, Streams(1, 0))
