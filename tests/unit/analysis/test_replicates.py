"""One rule gives every measure its interval over replicates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.analysis import over_replicates
from stresslab.analysis.intervals import student
from stresslab.contagion import Contagion
from stresslab.contagion.hawkes import fit_hawkes
from stresslab.contagion.keyed import KEYED
from stresslab.core.errors import ConfigError
from tests.unit.contagion.cases import USD, hand_cascade, liquidation, one_liquidation, tables
from tests.unit.contagion.random_log import random_log


def paid(fund_usd: int) -> Contagion:
    """Return the hand cascade in which the fund pays so much for account 1."""
    log = hand_cascade()
    for name in ("deficit_micro_usd", "fund_micro_usd"):
        log["waterfall"][name][:] = fund_usd * USD
    return Contagion(log)


def test_the_interval_of_what_the_fund_paid_is_students() -> None:
    """10, 20 and 60 USD, and nothing in a run without a row."""
    found = over_replicates("payers", [paid(10), paid(20), paid(60), paid(0)])
    assert found.rows() == [
        (
            "fund",
            "insurance_fund",
            "speculator",
            "paid_usd",
            4,
            0,
            *student([10.0, 20.0, 60.0, 0.0]),
        )
    ]


def test_what_is_undefined_is_left_out_and_counted() -> None:
    """Nobody loses in the small log: its curve is undefined, not equal."""
    runs = [Contagion(hand_cascade()), Contagion(one_liquidation())]
    found = over_replicates("lorenz", runs)
    assert set(zip(found["n"], found["n_undefined"], strict=True)) == {(1, 1)}
    assert found["mean"].to_list()[-1] == 1.0
    assert over_replicates("loss_gini", runs)["n_undefined"].to_list() == [1]


def test_one_number_a_run_has_one_row() -> None:
    (row,) = over_replicates("n_liquidations", [Contagion(hand_cascade())] * 2).rows(named=True)
    assert (row["value"], row["mean"], row["low"], row["high"]) == ("n_liquidations", 4.0, 4.0, 4.0)


def test_hand_values_of_the_hand_cascade() -> None:
    """Descendants 3.5, 2.5, 1, 1 of four speculators, cores of a tree: all 1, one community."""
    runs = [Contagion(hand_cascade())] * 2
    means = {row["value"]: row["mean"] for row in over_replicates("centrality", runs).to_dicts()}
    assert means == {"descendants": 2.0, "core": 1.0}
    assert over_replicates("communities", runs)["mean"].to_list() == [1.0, 1.0]


def test_times_alone_are_read_once_there_are_enough() -> None:
    """Fifty breaches at steps 1, 4, 9, ...: the fit of these times; 49 are too few."""
    for n, is_enough in ((50, True), (49, False)):
        spells = [liquidation(k, step=k * k, end_step=k * k) for k in range(n)]
        clock = [{"step": step, "seconds": 2.0 * step} for step in range(n * n + 2)]
        log = tables(assets=[{"asset": 0}], liquidations=spells, totals=clock)
        (ratio,) = KEYED["hawkes"].function(Contagion(log))["ratio"].tolist()
        assert is_enough != math.isnan(ratio)
        assert not is_enough or ratio == fit_hawkes(2.0 * np.arange(n) ** 2).ratio


@pytest.mark.parametrize("measure", [*KEYED, "branching_ratio", "depth"])
@pytest.mark.parametrize("log", [tables, one_liquidation], ids=["empty", "one"])
def test_every_measure_has_intervals_of_small_logs(measure: str, log) -> None:
    """No key, or keys whose values are finite or left out; never a NaN."""
    for runs in ([], [Contagion(log())], [Contagion(log()), Contagion(hand_cascade())]):
        found = over_replicates(measure, runs)
        assert not found["mean"].is_nan().any()
        assert (found["n"] + found["n_undefined"] == len(runs)).all()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(4)), st.sampled_from([*KEYED, "n_liquidations", "branching_ratio"]))
def test_order_of_replicates_does_not_matter(order: list[int], measure: str) -> None:
    """Runs of different markets, so that each has keys that others lack."""
    logs = (one_liquidation(), random_log(0), hand_cascade(), random_log(1))
    runs = [Contagion(log) for log in logs]
    there, back = (over_replicates(measure, part) for part in (runs, [runs[k] for k in order]))
    assert there.height > 0
    assert there.equals(back)


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match="'size' is unknown, allowed are payers"):
        over_replicates("size", [])
