"""Indicators are scored over runs of which some cascade and some do not."""

from __future__ import annotations

import numpy as np

from stresslab.analysis.early_warning import warnings
from stresslab.contagion import Contagion
from tests.unit.contagion.cases import hand_cascade


def calm(depth: int) -> Contagion:
    """Return a run in which nobody falls, with so many bids."""
    log = hand_cascade()
    for name in ("liquidations", "breach_amounts", "forced_orders", "waterfall"):
        log[name] = {column: values[:0] for column, values in log[name].items()}
    log["path"]["bid_depth_lots"][:] = depth
    return Contagion(log)


def crash(depth: int, at: int = 10) -> Contagion:
    """Return the hand cascade after so many quiet steps, bids halved half-way through them."""
    log = hand_cascade()
    for name, column in (("liquidations", "step"), ("liquidations", "end_step"),
                         ("forced_orders", "step"), ("shocks", "first_step")):  # fmt: skip
        log[name][column] = log[name][column] + at
    log["path"]["bid_depth_lots"][:] = depth
    log["path"]["bid_depth_lots"][log["path"]["step"] >= at // 2] = depth // 2
    return Contagion(log)


def test_thin_books_warn_of_crashes() -> None:
    """Crowding is higher before every crash; alarms go off in step 5, the event is in step 11."""
    found = warnings([calm(200), calm(300), crash(100), crash(120)])
    row = found.filter(indicator="crowding").row(0, named=True)
    assert (row["n"], row["cascades"], row["auc"], row["share_warned"]) == (4, 2, 1.0, 1.0)
    thin = found.filter(indicator="thinness").row(0, named=True)
    assert (thin["share_warned"], thin["lead_seconds"]) == (1.0, 6.0)
    assert found["indicator"].to_list()[0] == "radius"


def test_what_is_seen_after_the_shock_does_not_count() -> None:
    late = crash(200, at=40)
    depth, step = late.tables["path"]["bid_depth_lots"], late.tables["path"]["step"]
    depth[:] = np.where(step > 41, 10, 200)
    found = warnings([calm(200), late])
    assert found.filter(indicator="thinness")["auc"].to_list() == [0.5]


def test_the_event_is_the_episode_with_the_most_forced_notional() -> None:
    log = crash(100).tables
    for table in ("liquidations", "forced_orders"):
        log[table]["step"][-1] = 60
    log["liquidations"]["end_step"][-1] = 60
    log["forced_orders"]["mark_ticks"][-1] = 10_000
    found = warnings([calm(200), Contagion(log)]).filter(indicator="thinness")
    assert found["lead_seconds"].to_list() == [55.0]


def test_an_indicator_that_says_the_same_of_all_tells_nothing() -> None:
    found = warnings([calm(200), crash(200), calm(200), crash(200)])
    assert found.filter(indicator="leverage")["auc"].to_list() == [0.5]


def test_order_of_runs_does_not_matter() -> None:
    runs = [calm(200), crash(100), calm(150), crash(180)]
    there, back = warnings(runs), warnings(runs[::-1])
    assert there.equals(back)


def test_one_kind_alone_cannot_be_scored() -> None:
    for runs in ([], [calm(200)], [crash(100), crash(90)]):
        found = warnings(runs)
        assert found["auc"].null_count() == found["level"].null_count() == 5
    assert np.isfinite(warnings([calm(1), crash(2)])["auc"].to_numpy()).all()
