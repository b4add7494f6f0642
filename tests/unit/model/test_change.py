"""A twin differs by its change alone: fork equal to the bit, removal conserves, luck stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.contagion.twins import compare
from stresslab.core.declarations import build, faults
from stresslab.core.events import ISOLATED
from stresslab.scenario import Scenario
from tests.markets import changed, fall, market, model_of, people, run, tables_of

#: A linear book that the sale of a few lots moves by some ticks of 1 cent.
THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 300.0}}
LONGS = people((105.0, {"BTC": 10}), (109.0, {"BTC": 10}), (400.0, {"BTC": 10}))
SHORTS = people((1e6, {"BTC": -30}))


def cascade(**changes: Any) -> dict[str, Any]:
    """Return a market in which a fall of 6 % fells the first long, whose sale fells the second."""
    scenario = market(
        {"longs": LONGS, "shorts": SHORTS}, market__book=THIN, market__shocks={"a": fall(0.06)},
        market__mark={"rule": "mid"}, liquidation={"feedback": "market"}, duration_seconds=8.0,
    )  # fmt: skip
    return changed(scenario, **changes)


def fallen(tables: Any) -> list[int]:
    return sorted(set(tables["liquidations"]["account"].tolist()))


def test_the_story_has_a_cascade() -> None:
    assert fallen(run(cascade())) == [0, 1]


@pytest.mark.parametrize("step", [None, 1, 3])
def test_a_fork_that_changes_nothing_is_equal_to_the_bit(step: int | None) -> None:
    original, twin = run(cascade()), run(cascade(counterfactual={"from_step": step}))
    assert compare(original, twin).parting is None
    for name, columns in original.items():
        for column, values in columns.items():
            assert np.array_equal(values, twin[name][column]), (name, column)


def test_who_is_removed_fells_nobody_and_money_is_conserved() -> None:
    original, twin = run(cascade()), run(cascade(counterfactual={"remove": [0]}))
    found = compare(original, twin)
    assert found.saved.tolist() == [0, 1]
    assert found.felled.size == 0
    assert found.saved_notional_micro_usd > 0
    assert found.payers.micro_usd.sum() + sum(found.payers.house.values()) == 0
    assert found.payers.house["other"] == 0
    assert twin["accounts"]["wealth_micro_usd"][0] == 0


def test_a_removal_from_a_step_leaves_the_steps_before_alone() -> None:
    original, twin = run(cascade()), run(cascade(counterfactual={"remove": [1], "from_step": 2}))
    parting = compare(original, twin).parting
    assert parting is not None and parting.step >= 2
    assert fallen(twin) == [0]


def test_the_first_event_that_differs_comes_before_what_it_brings_about() -> None:
    """Without the second long its liquidation is missed first; the price is, a round later."""
    original, twin = run(cascade()), run(cascade(counterfactual={"remove": [1]}))
    second = next(place for place, n in enumerate(original["liquidations"]["account"]) if n == 1)
    moment = tuple(int(original["liquidations"][name][second]) for name in ("step", "round"))
    assert moment == (2, 1)
    assert (original["price_moves"]["round"] == 2).sum() > (twin["price_moves"]["round"] == 2).sum()
    parting = compare(original, twin).parting
    assert parting is not None and (parting.table, parting.step) == ("liquidations", 2)
    assert parting.original is not None and parting.original["account"] == 1


def test_without_feedback_the_second_stays() -> None:
    twin = run(cascade(counterfactual={"feedback": "no_feedback"}))
    assert fallen(twin) == [0]


def test_feedback_switched_off_too_late_changes_nothing() -> None:
    """The cascade happens in the second step, and is over in the third."""
    early, late = (
        run(cascade(counterfactual={"feedback": "no_feedback", "from_step": step}))
        for step in (2, 3)
    )
    assert fallen(early) == [0]
    assert fallen(late) == [0, 1] and compare(run(cascade()), late).parting is None


@pytest.mark.parametrize("step", [None, 3])
def test_without_stop_orders_nobody_sells_because_of_one(step: int | None) -> None:
    """A stop at 9,900 sells the lots of the third, from the step after the fall on."""
    found = []
    for rules in ({}, {"without_stop_orders": True, "from_step": step}):
        scenario = cascade(market__shocks={"a": fall(0.02)}, counterfactual=rules)
        model = model_of(scenario)
        model.world.crowd.columns.stop_ticks[0, 2] = 9_900
        found.append(tables_of(model))
    original, twin = found
    held = [dict(zip(*(t["positions"][c].tolist() for c in ("account", "final_lots")), strict=True))
            for t in found]  # fmt: skip
    assert (held[0][2], held[1][2]) == (0, 10)
    assert original["accounts"]["n_stops"].tolist()[2] == 1
    assert "stop" in original["price_causes"]["cause"].tolist()
    assert "stop" not in twin["price_causes"]["cause"].tolist()


def test_a_quiet_asset_is_sold_at_the_mark_and_the_other_is_not() -> None:
    """Both fall; the first longs of each are sold, the second ones follow where prices give way."""
    pairs = people(*((w, {a: 10}) for a in ("BTC", "ETH") for w in (105.0, 109.0)))
    story = market(
        {"longs": pairs, "shorts": people((1e6, {"BTC": -20, "ETH": -20}))},
        assets=("BTC", "ETH"), market__book=THIN, market__shocks={"a": fall(0.06, "BTC", "ETH")},
        market__mark={"rule": "mid"}, liquidation={"feedback": "market"}, duration_seconds=8.0,
    )  # fmt: skip
    assert fallen(run(story)) == [0, 1, 2, 3]
    twin = run(changed(story, counterfactual={"quiet_assets": ["BTC"]}))
    assert fallen(twin) == [0, 2, 3]
    orders = twin["forced_orders"]
    worth = -orders["filled_lots"] * orders["mark_ticks"] * 10_000
    is_quiet = orders["asset"] == 0
    assert is_quiet.any() and (orders["cash_micro_usd"] == worth)[is_quiet].all()
    assert (orders["cash_micro_usd"] < worth)[~is_quiet].all()
    sold = (twin["price_causes"]["cause"] == "liquidation") & (twin["price_causes"]["asset"] == 0)
    assert not sold.any()


def test_a_mode_is_overruled_for_the_named_account_alone() -> None:
    model = model_of(cascade(counterfactual={"make_isolated": [2]}))
    mode = model.world.clearing.accounts.mode[0]
    assert (mode == ISOLATED).tolist() == [False, False, True, False]


def test_unknown_accounts_and_contradictions_are_faults() -> None:
    wrong = {"remove": [3], "make_isolated": [0], "make_cross": [0], "quiet_assets": ["XYZ"]}
    found = dict(faults(build(Scenario, cascade(counterfactual=wrong))))
    assert "ids are 0 to 2 (longs), 1000000 to 1000000 (shorts)" in found["counterfactual.remove.0"]
    assert found["counterfactual.quiet_assets.0"] == "no asset is named 'XYZ', only BTC"
    assert "account 0 is made isolated too" in found["counterfactual.make_cross"]


def test_a_change_after_the_end_is_a_fault() -> None:
    late = {"remove": [1], "from_step": 9}
    found = dict(faults(build(Scenario, cascade(counterfactual=late))))
    assert found == {"counterfactual.from_step": "9 is after the last step, 8"}
    assert not list(faults(build(Scenario, cascade(counterfactual={**late, "from_step": 8}))))
