"""Estimators of the branching ratio against processes made child by child."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stresslab.cli import main
from stresslab.contagion import hawkes as estimator
from stresslab.contagion.hawkes import (
    count_spread,
    fit_hawkes,
    log_likelihood,
    log_likelihood_of_counts,
)
from stresslab.core.errors import StresslabError
from stresslab.validation.experiment import seed_of

BASELINE, DECAY = 0.5, 2.0


def clusters(ratio: float, span: float, seed: int, step: float = 0.0) -> np.ndarray:
    """Return event times: immigrants at a constant rate, each event's children after it.

    With steps a first event falls on the step before it, and a wait is rounded up to whole steps.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    parents = rng.uniform(0.0, span, rng.poisson(BASELINE * span))
    parents = np.floor(parents / step) * step if step else parents
    born = [parents]
    while parents.size:
        children = np.repeat(parents, rng.poisson(ratio, parents.size))
        waits = rng.exponential(1 / DECAY, children.size)
        parents = children + (np.ceil(waits / step) * step if step else waits)
        born.append(parents)
    times = np.sort(np.concatenate(born))
    return times[times < span]


def test_the_likelihood_is_the_sum_over_all_pairs() -> None:
    events = np.array([0.0, 0.4, 0.5, 2.0, 2.1, 5.0])
    baseline, ratio, decay = 0.7, 0.6, 1.5
    total = -baseline * 5.0
    for place, time in enumerate(events):
        raised = sum(ratio * decay * math.exp(-decay * (time - t)) for t in events[:place])
        total += math.log(baseline + raised) - ratio * (1 - math.exp(-decay * (5.0 - time)))
    assert log_likelihood(events, 5.0, baseline, ratio, decay) == pytest.approx(total, abs=1e-12)


def test_the_likelihood_of_counts_is_that_of_poisson_numbers_step_by_step() -> None:
    counts, baseline, ratio, stays = [2, 0, 0, 1, 3, 0, 1, 0], 0.3, 0.6, 0.7
    total = 0.0
    for step, count in enumerate(counts):
        raised = sum(counts[k] * stays ** (step - k - 1) for k in range(step))
        mean = baseline + ratio * (1 - stays) * raised
        total += count * math.log(mean) - mean
    steps = np.flatnonzero(counts)
    found = log_likelihood_of_counts(steps, np.array(counts)[steps], 8, baseline, ratio, stays)
    assert found == pytest.approx(total, abs=1e-12)


def test_steps_that_grow_short_give_the_likelihood_of_exact_times() -> None:
    events, short = np.array([0.0, 0.4, 0.5, 2.0, 2.1, 5.0]), 1e-6
    steps = np.rint(events / short).astype(np.int64)
    counted = log_likelihood_of_counts(
        steps, np.ones(6, np.int64), steps[-1], 0.7 * short, 0.6, math.exp(-1.5 * short)
    )
    exact = log_likelihood(events, 5.0, 0.7, 0.6, 1.5)
    assert counted - 6 * math.log(short) == pytest.approx(exact, abs=1e-4)


@given(st.integers(2, 30), st.floats(0.1, 60.0), st.integers(0, 999))
def test_the_unit_of_time_does_not_matter(n: int, scale: float, seed: int) -> None:
    """Times c times as long: the likelihood falls by n log c, whatever the branching ratio."""
    events = np.sort(np.random.default_rng(seed).uniform(0, 50, n))
    for ratio in (0.2, 0.9):
        before = log_likelihood(events, 50.0, 0.5, ratio, 2.0)
        after = log_likelihood(events * scale, 50.0 * scale, 0.5 / scale, ratio, 2.0 / scale)
        assert after == pytest.approx(before - n * math.log(scale), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("ratio", [0.3, 0.7])
def test_both_estimators_find_the_ratio(ratio: float, number: int) -> None:
    times = clusters(ratio, 5000 * (1 - ratio) / BASELINE, seed_of(f"hawkes {ratio}", number))
    fit = fit_hawkes(times)
    assert times.size > 4000
    assert fit.ratio == pytest.approx(ratio, abs=0.08)
    assert fit.low < fit.ratio < fit.high < fit.low + 0.2
    assert fit.decay == pytest.approx(DECAY, rel=0.35)
    assert count_spread(times, 20.0).ratio == pytest.approx(ratio, abs=0.12)


@pytest.mark.parametrize("number", range(2))
def test_times_in_steps_are_told_from_exact_ones(number: int) -> None:
    """Steps half as long as the mean wait: read as exact, their times overstate n by 0.02."""
    times = clusters(0.5, 8000.0, seed_of("hawkes in steps", number), step=0.25)
    fit = fit_hawkes(times, 0.25)
    error = (fit.high - fit.low) / (2 * 1.96)
    assert times.size > 7000 and error < 0.02
    assert fit.ratio == pytest.approx(0.5, abs=4 * error)
    assert fit.decay == pytest.approx(DECAY, rel=0.2)
    within = np.random.Generator(np.random.Philox(key=number)).uniform(0, 0.25, times.size)
    assert fit_hawkes(times + within).ratio > fit.ratio + 0.01


def test_events_without_children_gain_little_by_a_kernel() -> None:
    times = clusters(0.0, 4000.0, seed_of("hawkes", 9))
    assert times.size > 1500
    span = float(np.ptp(times))
    without = times.size * (math.log(times.size / span) - 1)
    assert -1.0 < fit_hawkes(times).log_likelihood - without < 8.0
    assert abs(count_spread(times, 20.0).ratio) < 0.15


def test_too_few_events_and_windows_are_refused() -> None:
    with pytest.raises(StresslabError, match="10 events; allowed are at least 50"):
        fit_hawkes(np.arange(10.0))
    with pytest.raises(StresslabError, match="10 fit into 100 s"):
        count_spread(np.arange(101.0), 10.0)
    with pytest.raises(StresslabError, match="steps of -1 s; allowed are lengths above 0 s"):
        fit_hawkes(np.arange(100.0), -1.0)
    with pytest.raises(StresslabError, match="steps of 500 s: all events fall into one"):
        fit_hawkes(np.arange(100.0), 500.0)


def test_the_command_reads_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = clusters(0.5, 1000.0, seed_of("hawkes", 5))
    file = tmp_path / "times.csv"
    file.write_text("size,seconds\n" + "".join(f"1,{t}\n" for t in times.tolist()))
    assert main(["hawkes", str(file), "--column", "seconds", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["events"] == times.size
    assert told["likelihood"]["ratio"] == pytest.approx(0.5, abs=0.2)
    assert told["likelihood"]["ratio"] == fit_hawkes(times).ratio
    assert main(["hawkes", str(file), "--column", "seconds", "--step", "0.1", "--json"]) == 0
    in_steps = json.loads(capsys.readouterr().out)
    assert in_steps["likelihood"]["ratio"] == fit_hawkes(times, 0.1).ratio
    assert main(["hawkes", str(file), "--column", "second"]) == 2
    assert "known are size, seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ("", ": 0 events; allowed are at least 50"),
        ("seconds\n", ", column 'seconds': 0 events; allowed are at least 50"),
        ("seconds\n1.5\n", ", column 'seconds': 1 events; allowed are at least 50"),
        ("7.0\n" * 60, ": event times must be finite numbers of seconds, and not all the same"),
        ("1.0\ninf\n" * 60, ": event times must be finite numbers of seconds"),
        ("seconds\n1.5\nsoon\n", ":3: expected a time in seconds, found ['soon']"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_line_that_names_it(
    rows: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "times.csv"
    file.write_text(rows)
    assert main(["hawkes", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{file}{wrong}")
    assert told.count("\n") == 1


def test_a_column_of_numbers_in_a_row_has_no_ratio_by_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first column is no time: it is named, and nothing infinite is told as an estimate."""
    file = tmp_path / "times.csv"
    file.write_text("\ufeffid,seconds\n" + "".join(f"{k},{k**1.5}\n" for k in range(201)))
    assert main(["hawkes", str(file), "--window", "8"]) == 0
    told = capsys.readouterr().out
    assert "events                      201 in 200 s, column 'id'" in told
    assert "counts     none: there are as many events in each window" in told

    def unknown(name: str) -> float:
        raise AssertionError(name)

    assert main(["hawkes", str(file), "--window", "8", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out, parse_constant=unknown)
    assert plain["counts"]["fano"] == 0.0
    assert plain["counts"]["ratio"] is None


def test_a_long_stream_is_fitted_from_a_guess_on_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = clusters(0.6, 3000.0, seed_of("hawkes", 6))
    whole = fit_hawkes(times)
    monkeypatch.setattr(estimator, "_FIRST", 1000)
    guessed = fit_hawkes(times)
    assert times.size > 2000
    assert guessed != whole
    assert guessed == pytest.approx(whole, rel=1e-4)
