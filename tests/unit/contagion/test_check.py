"""An event log whose causes do not add up is refused, with what is wrong."""

from __future__ import annotations

import pytest

from stresslab.contagion.check import check, faults
from stresslab.contagion.outcomes import measure
from stresslab.core.errors import InvariantError
from tests.unit.contagion.cases import USD, hand_cascade, tables


def test_a_sound_log_has_no_faults() -> None:
    assert faults(hand_cascade()) == []
    check(hand_cascade())


def test_one_unit_is_missed() -> None:
    log = hand_cascade()
    log["breach_amounts"]["amount_micro_usd"][1] += 1
    (fault,) = faults(log)
    assert fault == (
        f"liquidation 1: causes add up to {450 * USD + 1} micro-USD, the excess over maintenance "
        f"fell by {450 * USD}"
    )
    with pytest.raises(InvariantError, match="liquidation 1: causes add up"):
        measure(log)


def test_a_liquidation_without_causes_is_a_fault() -> None:
    log = hand_cascade()
    for column in log["breach_amounts"]:
        log["breach_amounts"][column] = log["breach_amounts"][column][:-1]
    assert any(fault.startswith("liquidation 3: causes add up to 0 ") for fault in faults(log))


@pytest.mark.parametrize("source", [2, 3, 9])
def test_causes_come_before_effects(source: int) -> None:
    log = hand_cascade()
    log["price_causes"]["liquidation"][2] = source
    assert f"liquidation 2: caused by liquidation {source}, which is not an earlier one" in faults(
        log
    )


def test_shares_of_a_move_sum_to_one() -> None:
    log = hand_cascade()
    log["price_causes"]["share"][3] = 0.75
    assert "stage 3, asset 0: shares of the price move sum to 1.25, not 1" in faults(log)


def test_shares_that_cancel_may_be_large() -> None:
    log = tables(
        assets=[{"asset": 0}],
        price_moves=[{"stage": 0}],
        price_causes=[
            {"stage": 0, "cause": "index", "share": 1e9 + 1e-2},
            {"stage": 0, "cause": "voluntary", "share": 1 - 1e9},
        ],
    )
    assert faults(log) == []


def test_a_share_that_is_not_a_number_is_refused() -> None:
    log = hand_cascade()
    log["price_causes"]["share"][0] = float("nan")
    with pytest.raises(InvariantError, match="not a finite number"):
        check(log)


def test_a_move_with_causes_is_recorded() -> None:
    log = hand_cascade()
    log["price_moves"]["stage"][1] = 9
    assert faults(log) == ["price_causes: stage 1, asset 0 is not in the table of price moves"]


def test_a_deficit_is_covered_to_the_unit() -> None:
    log = hand_cascade()
    log["waterfall"]["fund_micro_usd"][0] -= 1
    found = f"liquidation 0: a deficit of {20 * USD} micro-USD was covered by {20 * USD - 1}"
    assert faults(log) == [found]


def test_unknown_liquidations_are_named() -> None:
    log = hand_cascade()
    log["forced_orders"]["liquidation"][4] = 12
    assert faults(log) == ["forced_orders: liquidation 12 is not in the table of liquidations"]


def test_many_faults_are_counted() -> None:
    log = hand_cascade()
    log["breach_amounts"]["amount_micro_usd"] += 1
    log["price_causes"]["share"] *= 2
    with pytest.raises(InvariantError, match=r"\(and \d more\)$"):
        check(log)


def _settled(**socialised: int) -> dict:
    """Return a log in which liquidation 3 has 7 of its deficit seized from winners and 5 shared."""
    covered = {"deficit_micro_usd": 12, "adl_micro_usd": 7, "socialised_micro_usd": 5}
    return tables(
        waterfall=[{"liquidation": 3, **covered}],
        adl=[{"liquidation": 3, "loss_micro_usd": loss} for loss in (4, 3)],
        socialised=[{"liquidation": 3, "loss_micro_usd": 5} | socialised],
    )


def test_who_paid_for_a_liquidation_adds_up_to_what_it_got() -> None:
    assert faults(_settled()) == []
    log = _settled(loss_micro_usd=4)
    log["adl"]["liquidation"][0] = 2
    assert faults(log) == [
        "liquidation 2: accounts paid 4 micro-USD in table adl, the waterfall says 0",
        "liquidation 3: accounts paid 3 micro-USD in table adl, the waterfall says 7",
        "liquidation 3: accounts paid 4 micro-USD in table socialised, the waterfall says 5",
    ]


def test_a_haircut_on_withdrawal_is_paid_for_all_liquidations_together() -> None:
    assert faults(_settled(liquidation=-1, loss_micro_usd=4)) == []
