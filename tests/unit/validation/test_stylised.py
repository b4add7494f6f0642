"""Stylised facts: statistics on bars whose answers are known, facts, windows, distances, checks."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import t

from stresslab.experiment.config import read_config
from stresslab.validation.experiment import Size
from stresslab.validation.experiments import stylised
from stresslab.validation.stylised import market, telling, windows
from stresslab.validation.stylised.facts import facts
from stresslab.validation.stylised.falls import falls
from stresslab.validation.stylised.memory import Beyond, beyond_shuffles
from stresslab.validation.stylised.moments import (
    LAGS,
    NAMES,
    acf,
    clustering,
    decay,
    hill,
    longer,
    moments,
)

SHARED = Path(__file__).parents[4] / "shared/data"
#: Names here -> names in the table of measurements that the specification comes with.
MEASURED = dict(zip(NAMES, (
    "std", "exkurt", "hill5", "hill1", "acf_r_lag1", "acf_abs_lag1", "acf_abs_lag10",
    "acf_abs_lag100", "acf_abs_decay", "corr_absr_vol", "lev_lag1",
), strict=True))  # fmt: skip


def test_a_tail_of_pareto_sizes_has_its_exponent_and_zeros_do_not_count() -> None:
    sizes = ((np.arange(200_000) + 0.5) / 200_000) ** (-1 / 3.0)
    assert hill(sizes, 0.05) == pytest.approx(3.0, rel=1e-3)
    assert hill(np.append(sizes, np.zeros(500_000)), 0.05) == hill(sizes, 0.05)


def test_runs_share_a_mean_and_no_pair_reaches_from_one_into_the_next() -> None:
    """Two runs at +1 and -1: within each nothing changes, so all lags remember everything."""
    runs = np.array([[1.0] * 5, [-1.0] * 5])
    assert acf(runs, 1) == acf(runs, 4) == 1.0
    assert acf(np.array([[1.0, 2.0, 4.0]]), 1) == pytest.approx(((-4 * -1 + -1 * 5) / 2) / (42 / 3))


def test_a_power_law_of_memory_has_its_exponent() -> None:
    assert decay(0.4 * LAGS**-0.25) == pytest.approx(0.25)
    assert decay(np.where(LAGS % 2 == 0, -1.0, 0.4 * LAGS**-0.25)) == pytest.approx(0.25)
    assert np.isnan(decay(np.full(LAGS.size, -0.1)))


def test_moments_of_returns_that_are_large_together_and_when_much_is_traded() -> None:
    draws = np.random.default_rng(3)
    spread = np.repeat(np.exp(draws.standard_normal((2, 40))), 100, axis=1)
    returns = spread * draws.standard_normal(spread.shape)
    found = moments(returns, np.abs(returns) * 7.0)
    assert list(found) == list(NAMES)
    assert found["corr abs r and volume"] == pytest.approx(1.0)
    assert abs(found["ACF r, lag 1"]) < 0.1 < 0.2 < found["ACF abs r, lag 10"]
    assert found["excess kurtosis"] > 3.0
    assert clustering(np.abs(returns[0])) > 0.1
    assert longer(returns, 5).shape == (2, 800)
    assert longer(returns, 5)[1, 3] == pytest.approx(returns[1, 15:20].sum())


def test_facts_are_of_known_statistics_and_half_were_not_seen() -> None:
    assert [fact.name for fact in facts()] == [*NAMES, *NAMES]
    assert all(fact.low < fact.high for fact in facts())
    assert all(fact.window_low < fact.window_median < fact.window_high for fact in facts())
    uses = [fact.use for fact in facts()]
    assert {use: uses.count(use) for use in uses} == {"seen": 11, "predicted": 11}
    assert {fact.use for fact in facts() if fact.minutes == 5} == {"predicted"}


def test_minutes_without_trades_keep_the_last_close_and_no_volume(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv.gz"
    with gzip.open(file, "wt") as stream:
        stream.write("open_time,open,high,low,close,volume\n")
        stream.writelines(
            f"{60 * k},1,9,1,{c},{v}\n" for k, c, v in ((1, 1, 5), (2, 2, 6), (5, 4, 7))
        )
    returns, volume = windows.bars(file)
    assert returns == pytest.approx(np.log([2.0, 1.0, 1.0, 2.0]))
    assert volume.tolist() == [6.0, 0.0, 0.0, 7.0]


def test_statistics_are_those_that_others_compute() -> None:
    """Written out by hand; and by the code of a table, where it lies beside the project."""
    r, v = np.random.default_rng(2).standard_normal((2, 300))
    found, n = moments(r[None], v[None]), r.size
    assert found["standard deviation"] ** 2 == pytest.approx(sum((r - sum(r) / n) ** 2) / n)
    pairs = [(r[k], r[k + 1] ** 2) for k in range(n - 1)]
    assert found["corr r and next r squared"] == pytest.approx(
        np.corrcoef(np.transpose(pairs))[0, 1]
    )
    for minutes, measured, told in _measured():
        if minutes == 5:  # the table's volumes of five minutes are four minutes late
            late = told.pop("corr abs r and volume")
            assert measured.pop("corr abs r and volume") > late + 0.08
        assert measured == pytest.approx(told, rel=1e-5)


def _measured() -> list[tuple[int, dict[str, float], dict[str, float]]]:
    table = SHARED / "reference/stylised_facts_measured.csv"
    if not table.exists():
        return []
    with table.open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["series"] == "BTC_perp_2022-01"]
    told = {(row["horizon"], row["statistic"]): float(row["value"]) for row in rows}
    returns, volume = windows.bars(SHARED / "ohlcv" / windows.FILES[-1])
    return [
        (n, moments(longer(returns[None], n), longer(volume[None], n)),
         {name: told[f"{n}m", MEASURED[name]] for name in NAMES})
        for n in (1, 5)
    ]  # fmt: skip


def test_the_config_is_an_ordinary_one_and_its_arm_without_feedback_borrows_nothing() -> None:
    config = read_config(yaml.safe_load(market.CONFIG.read_text()))
    assert {"feedback", "no_feedback"} < set(config.values["designs"]["facts"]["arms"])
    assert market.scenario() == yaml.safe_load(market.CONFIG.read_text())["scenario"]
    calm = market.scenario(arm="no_feedback", days=0.5)["traders"]
    assert calm["speculators"]["leverage"]["median"] == 1
    assert calm["speculators"]["strategy"] == calm["momentum"]["strategy"] == {"kind": "passive"}
    assert calm["makers"]["strategy"]["widening"] == 0


def _logs(
    returns: np.ndarray, stops: int, liquidated: int
) -> list[dict[str, dict[str, np.ndarray]]]:
    log = {"accounts": {"n_stops": np.array([0, stops])},
           "liquidations": {"step": np.arange(liquidated)}}  # fmt: skip
    return [log for _ in returns]


def test_clustered_runs_pass_and_shuffled_or_idle_ones_do_not() -> None:
    draws = np.random.default_rng(11)
    spread = np.repeat(np.exp(draws.standard_normal((2, 12))), 60, axis=1)
    returns = spread * draws.standard_normal(spread.shape)
    scale = stylised.SCALES[Size.FULL]
    checks = stylised._checks(_logs(returns, 3, 2), returns, 5, scale)
    assert [check.passed for check in checks] == [True] * 4
    assert 0 < checks[-1].level < 1e-6  # of two runs: drawn, not exact
    shuffled = np.array([draws.permutation(row) for row in returns])
    shown = [c.passed for c in stylised._checks(_logs(returns, 3, 2), shuffled, 5, scale)]
    assert shown == [True, True, True, False]
    idle = np.where(np.arange(720) % 3 == 0, returns, 0.0)
    quiet = [c.passed for c in stylised._checks(_logs(returns, 0, 0), idle, 5, scale)]
    assert quiet[:3] == [False, False, False]


def test_shuffled_runs_pass_as_one_of_a_hundred_and_the_level_is_students() -> None:
    """Nothing is remembered: the largest of 100 is the first in one of 100 on average."""
    draws = np.random.default_rng(3)
    beyond = [beyond_shuffles(draws.standard_normal((1, 60)), seed) for seed in range(40)]
    assert np.mean(np.array(beyond) > 0) <= 0.1
    assert min(beyond) < -0.1
    few = Beyond(2.0, 1.0)  # one run lies 2 / sqrt(1 + 1/48) deviations above nothing
    assert few.chance_of_none(1) == pytest.approx(t.sf(2 / np.sqrt(49 / 48), 47))
    assert few.chance_of_none(9) < few.chance_of_none(1) / 1000


def test_runs_are_told_as_one_sample_and_beside_windows_of_their_length() -> None:
    draws = np.random.default_rng(7)
    runs = draws.standard_t(3, (4, 2, windows.BARS)) * 1e-3
    runs[:, 1] = np.abs(runs[:, 0])
    distances, panels = telling.told(runs, runs[:1])
    told = {distance.what: distance for distance in distances}
    assert len(told) == 22 + 2 + 4
    assert len(panels) == 3
    sample = told["seen: 1 min, Hill 5 %"]
    assert sample.measured == pytest.approx(hill(np.abs(runs[:, 0]), 0.05))
    assert sample.interval is not None
    assert sample.interval[0] < sample.measured < sample.interval[1]
    covered = told["1 min, statistics of a run inside the 95 % interval of windows"]
    assert 0.3 < covered.measured < 0.9  # nothing clusters, and volume tells everything
    shorter, fewer = telling.told(runs[:, :, :720], None)
    assert len(shorter) == 22
    assert len(fewer) == 2


def test_a_fall_has_a_low_a_rebound_and_a_volume() -> None:
    """From 100 at minute 105 to 90 half an hour later, and at 94 an hour after that."""
    price = np.full(400, 100.0)
    price[105:136] = np.linspace(100.0, 90.0, 31)
    price[136:195] = 97.0  # and down again within the hour: no fall of its own
    price[195:] = 94.0
    volume = np.ones(399)
    volume[105:135], volume[135:165] = 5.0, 3.0
    [found] = falls(np.diff(np.log(price)), volume)
    assert found.rebound == pytest.approx(0.4)
    assert found.volume == pytest.approx(4 * 399 / (339 + 60 * 4))
    assert list(falls(np.diff(np.log(price[:190])), volume[:189])) == []
    assert list(falls(np.diff(np.log(price)) / 4, volume)) == []


def test_falls_are_told_where_there_are_any() -> None:
    run = np.zeros((1, 2, 600)) + 1e-6 * np.sin(np.arange(600.0))
    run[0, 1] = 1.0
    assert [told.what for told in telling._after_falls(run)] == []
    run[0, 0, 300:310], run[0, 0, 320] = -0.01, 0.05
    rebound, volume = telling._after_falls(run)
    assert rebound.what == "predicted: rebound in an hour of 1 falls of 3 % in 15 min"
    assert rebound.measured == pytest.approx((np.exp(-0.05) - np.exp(-0.1)) / -np.expm1(-0.1), 1e-3)
    assert volume.measured == pytest.approx(1.0)


def test_an_interval_that_leaves_out_run_by_run_is_students_for_a_mean() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    rest = [float(np.delete(values, k).mean()) for k in range(4)]
    found = telling._jackknife(4.0, rest)
    assert found is not None
    half = 3.1824463 * values.std(ddof=1) / 2  # quantile of Student's law of 3 degrees of freedom
    assert found == pytest.approx((4.0 - half, 4.0 + half))
    assert telling._jackknife(4.0, rest[:1]) is None
