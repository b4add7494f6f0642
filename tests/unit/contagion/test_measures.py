"""Measures where the hand cascade says nothing: edges, gates, waterfall, recovery."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.long import LONG_TABLES
from stresslab.contagion.matrix import branching_matrix
from stresslab.contagion.measures.losses import waterfall_micro_usd
from stresslab.contagion.outcomes import measure
from tests.unit.contagion.cases import USD, hand_cascade, liquidation, tables


def chain(n: int, endogenous: float) -> Tables:
    """Return ``n`` liquidations of 10 USD forced notional, each partly caused by the one before."""
    return tables(
        assets=[{"asset": 0, "name": "A", "unit_value_micro_usd": USD}],
        price_moves=[{"stage": row, "from_ticks": 6, "to_ticks": 5} for row in range(n)],
        totals=[{"step": step, "seconds": step + 1.0} for step in range(n + 100)],
        liquidations=[liquidation(row, step=row, end_step=row) for row in range(n)],
        breach_amounts=[
            {"liquidation": row, "stage": row, "cause": "price", "amount_micro_usd": 10 * USD}
            for row in range(n)
        ],
        price_causes=[{"stage": 0, "cause": "index", "share": 1.0}]
        + [
            {"stage": row, "cause": cause, "share": share, "liquidation": source}
            for row in range(1, n)
            for cause, share, source in (
                ("index", 1 - endogenous, -1),
                ("liquidation", endogenous, row - 1),
            )
        ],
        forced_orders=[
            {"liquidation": row, "account": row, "mark_ticks": 5, "filled_lots": -2}
            for row in range(n)
        ],
    )


def test_parts_of_a_run_need_fifty_liquidations() -> None:
    few, enough = measure(chain(49, 0.75)), measure(chain(50, 0.75))
    assert few["branching_ratio"] == pytest.approx(0.75 * 48 / 49)
    assert math.isnan(few["branching_ratio_first"])
    assert math.isnan(few["branching_ratio_max"])
    assert enough["branching_ratio_max"] == enough["branching_ratio"]
    first = (0.75 + 48 * 0.25 * 0.75) / (1 + 49 * 0.25)
    assert enough["branching_ratio_first"] == pytest.approx(first)


def test_the_path_maximum_is_over_windows() -> None:
    found = measure(chain(80, 0.5))
    assert found["branching_ratio_max"] == 0.5 > found["branching_ratio"]


def test_cut_episodes_do_not_count_for_branching() -> None:
    log = chain(60, 0.5)
    for name, column in log["totals"].items():
        log["totals"][name] = column[:70]
    found = measure(log)
    assert (found["n_liquidations"], found["n_episodes_open"]) == (60, 1)
    assert found["branching_denominator_usd"] == 0.0
    assert math.isnan(found["branching_ratio"])
    assert found["endogenous_share"] == pytest.approx(0.5 * 59 / 60)


def test_what_others_paid_for_deficits_is_counted_once() -> None:
    """One loses its 100 and leaves a deficit of 40: fund 10, a winner 25, everyone 5."""

    def account(number: int, wealth: int, final: int) -> dict[str, Any]:
        money = {"wealth_micro_usd": wealth, "final_equity_at_index_micro_usd": final}
        return {"account": number, **money}

    parts = {"fund": 10, "adl": 25, "socialised": 5}
    covered = {f"{name}_micro_usd": value for name, value in parts.items()}
    log = tables(
        accounts=[account(7, 100, 0), account(2, 100, 175), account(5, 50, 45)],
        adl=[{"account": 2, "loss_micro_usd": 25}],
        socialised=[{"account": 5, "loss_micro_usd": 5}],
        waterfall=[{"deficit_micro_usd": 40, **covered}],
    )
    assert waterfall_micro_usd(Contagion(log)) == {
        "trader": 100,
        "penalty": 0,
        **parts,
        "total": 140,
    }


def test_recovery_is_nan_when_the_run_ends_before() -> None:
    log = hand_cascade()
    late = (log["path"]["step"] >= 3) & (log["path"]["asset"] == 0)
    log["path"]["mark_ticks"][late] = 80
    assert math.isnan(measure(log)["recovery_seconds"])


def test_no_recovery_is_needed_from_a_small_overshoot() -> None:
    log = hand_cascade()
    log["path"]["lowest_mark_ticks"] = log["path"]["index_ticks"]
    assert measure(log)["overshoot"] == 0.0
    assert measure(log)["recovery_seconds"] == 0.0


def test_what_happened_before_the_shock_is_no_spill_and_no_overshoot() -> None:
    log = hand_cascade()
    log["shocks"]["first_step"][:] = 5
    found = measure(log)
    assert found["crossed"] == 0.0
    assert found["spill_same_accounts_usd"] == found["spill_other_accounts_usd"] == 0.0
    assert found["overshoot"] == 5 / 85


@pytest.mark.parametrize("shocked", [[], [0, 1]])
def test_whether_it_crossed_is_no_question_without_an_unshocked_asset(shocked: list[int]) -> None:
    log = hand_cascade()
    log["shocks"] = tables(shocks=[{"asset": a, "first_step": 1} for a in shocked])["shocks"]
    found = measure(log)
    assert math.isnan(found["crossed"])
    assert found["spill_same_accounts_usd"] == found["n_spill_other_accounts"] == 0


def test_dust_has_not_crossed() -> None:
    """Open interest in B is 7,000: 6 of forced notional are less than 0.1 % of it."""
    log = hand_cascade()
    orders = log["forced_orders"]
    orders["filled_lots"][orders["asset"] == 1] = -1
    orders["mark_ticks"][orders["asset"] == 1] = 3
    assert measure(log)["spill_share"] == 6 / 7_000
    assert measure(log)["crossed"] == 0.0
    orders["mark_ticks"][orders["asset"] == 1] = 5
    assert measure(log)["crossed"] == 1.0
    assert measure(log)["crossed_to_others"] == 0.0


def test_shorts_and_flat_positions_count_as_they_should() -> None:
    """Account 3 is short 30 B against 4's long, and 4's position in A begins after the start."""
    log = hand_cascade()
    log["positions"]["initial_lots"][3:] = [-30, 0]
    found = measure(log)
    assert found["spill_share"] == 6_760 / 4_000
    assert found["share_holders_liquidated"] == 1.0
    assert Contagion(log).shocked_holders.tolist() == [1, 2]
    assert Contagion(log).initial_open_interest.tolist() == [15_000 * USD, 4_000 * USD]


def test_crossing_to_others_asks_for_others() -> None:
    log = hand_cascade()
    log["forced_orders"]["filled_lots"][2] = 0
    found = measure(log)
    assert found["spill_same_accounts_usd"] == 0.0
    assert found["crossed_to_others"] == 1.0


def test_holders_of_the_shocked_asset_and_others_are_told_apart() -> None:
    log = hand_cascade()
    log["liquidations"]["account"][3] = 1
    found = measure(log)
    assert found["share_holders_liquidated"] == 2 / 3
    assert found["share_others_liquidated"] == 1.0


def test_depth_is_compared_with_what_it_was_before_the_shock() -> None:
    log = hand_cascade()
    at_shock = log["path"]["step"] == 1
    log["path"]["bid_depth_lots"][at_shock] = 100
    assert measure(log)["depth_minimum_share"] == 0.25


def test_without_a_book_there_is_no_depth() -> None:
    log = hand_cascade()
    log["path"]["bid_depth_lots"][:] = 0
    assert math.isnan(measure(log)["depth_minimum_share"])


def test_an_asset_nobody_was_forced_to_sell_has_no_branching() -> None:
    log = hand_cascade()
    log["forced_orders"]["asset"][:] = 0
    matrix = branching_matrix(Contagion(log))
    assert matrix[0, 0] > 0
    assert np.isnan(matrix[1]).all()


def test_adl_notional_is_at_the_mark_of_its_step() -> None:
    log = hand_cascade()
    log["adl"] = tables(adl=[{"step": 2, "asset": 0, "account": 9, "lots": 4}])["adl"]
    found = measure(log)
    assert found["adl_notional_usd"] == 4 * 70
    assert found["adl_share"] == pytest.approx(280 / (280 + 18_760))
    assert (found["n_adl"], found["n_adl_accounts"]) == (1, 1)


def test_strategies_are_counted_by_account() -> None:
    log = hand_cascade()
    log["accounts"]["strategy"][:] = ["hedger", "speculator", "hedger", "noise"]
    log["liquidations"]["account"][:] = [1, 1, 3, 2]
    table = LONG_TABLES["strategies"](Contagion(log))
    assert table["strategy"].tolist() == ["hedger", "noise", "speculator"]
    assert table["share"].tolist() == [1.0, 0.0, 1.0]


def test_order_of_rows_does_not_matter() -> None:
    log, mixed = hand_cascade(), {}
    for name, columns in log.items():
        n = len(next(iter(columns.values())))
        order = np.random.default_rng(3).permutation(n)
        mixed[name] = {column: values[order] for column, values in columns.items()}
    np.testing.assert_equal(measure(mixed), measure(log))
