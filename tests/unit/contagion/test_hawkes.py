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
from stresslab.contagion.hawkes import count_spread, fit_hawkes, log_likelihood
from stresslab.core.errors import StresslabError
from stresslab.validation.experiment import seed_of

BASELINE, DECAY = 0.5, 2.0


def clusters(ratio: float, span: float, seed: int) -> np.ndarray:
    """Return event times: immigrants at a constant rate, each event's children after it."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    parents = rng.uniform(0.0, span, rng.poisson(BASELINE * span))
    born = [parents]
    while parents.size:
        children = np.repeat(parents, rng.poisson(ratio, parents.size))
        parents = children + rng.exponential(1 / DECAY, children.size)
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


def test_the_command_reads_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = clusters(0.5, 1000.0, seed_of("hawkes", 5))
    file = tmp_path / "times.csv"
    file.write_text("size,seconds\n" + "".join(f"1,{t}\n" for t in times.tolist()))
    assert main(["hawkes", str(file), "--column", "seconds", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["events"] == times.size
    assert told["likelihood"]["ratio"] == pytest.approx(0.5, abs=0.2)
    assert main(["hawkes", str(file), "--column", "second"]) == 2
    assert "known are size, seconds" in capsys.readouterr().err
