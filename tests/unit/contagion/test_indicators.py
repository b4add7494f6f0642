"""Early-warning indicators of the hand cascade, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.indicators import INDICATORS, lead_seconds
from tests.unit.contagion.cases import USD, hand_cascade, one_liquidation, tables


def mapped() -> Tables:
    """Return the hand cascade with 500 USD of A in breach by 1 %, 700 by 2 %, 4,000 by 12 %."""
    log = hand_cascade()
    rows = [(0.01, 500), (0.02, 700), (0.11, 700), (0.12, 4_000)]
    log["liquidation_map"] = tables(
        liquidation_map=[{"asset": 0, "mode": "cross", "move": -fall, "pools": 1,
                          "notional_micro_usd": money * USD} for fall, money in rows]
    )["liquidation_map"]  # fmt: skip
    return log


def test_what_is_due_in_the_next_per_cent() -> None:
    """In step 0 nothing has fallen: 500 USD of 20,000 USD of bids, of 17,000 USD open in A."""
    run = Contagion(mapped())
    assert INDICATORS["radius"](run)[0] == pytest.approx(500 / 20_000)
    assert INDICATORS["density"](run)[0] == pytest.approx(500 / 17_000)
    assert INDICATORS["leverage"](run)[0] == pytest.approx((17_000 + 7_000) / 4_260)
    assert INDICATORS["crowding"](run)[0] == pytest.approx(17_000 / 20_000)
    assert INDICATORS["thinness"](run)[:3] == pytest.approx([0.0, 0.0, 0.75])


@pytest.mark.parametrize("name", ["radius", "crowding"])
def test_an_empty_book_is_worse_than_any_other(name: str) -> None:
    found = []
    for lots in (2, 1, 0):
        log = mapped()
        log["path"]["bid_depth_lots"][:2] = lots
        found.append(float(INDICATORS[name](Contagion(log))[0]))
    assert 0 < found[0] < found[1] <= found[2] < np.inf


def test_what_has_fallen_is_no_longer_due() -> None:
    """In step 1 A is 20 % down, beyond all that the map holds."""
    assert INDICATORS["radius"](Contagion(mapped()))[1] == 0.0


@pytest.mark.parametrize("name", INDICATORS)
def test_more_to_be_closed_and_fewer_bids_never_calm(name: str) -> None:
    calm, tense = mapped(), mapped()
    tense["liquidation_map"]["notional_micro_usd"] *= 3
    tense["path"]["bid_depth_lots"][2:] //= 2
    tense["accounts"]["wealth_micro_usd"] //= 2
    before, after = (INDICATORS[name](Contagion(log)) for log in (calm, tense))
    assert len(before) == 100 and (before > 0).any()
    assert (after >= before - 1e-12).all()


@pytest.mark.parametrize("name", INDICATORS)
@pytest.mark.parametrize("log", [tables, one_liquidation], ids=["empty", "one"])
def test_a_run_without_a_path_has_no_values(name: str, log) -> None:
    log = log()
    if log["assets"]["asset"].size:
        log["path"] = tables(path=[{"step": 0, "asset": 0}])["path"]
    assert np.isfinite(INDICATORS[name](Contagion(log))).all()


def test_lead_time_is_from_the_first_alarm() -> None:
    run = Contagion(hand_cascade())
    values = np.zeros(100)
    values[[3, 7]] = 1.0
    assert lead_seconds(run, values, 0.5, 10) == lead_seconds(run, values, 1.0, 10) == 7.0
    assert math.isnan(lead_seconds(run, values, 0.5, 3))
    assert math.isnan(lead_seconds(run, values, 2.0, 10))
