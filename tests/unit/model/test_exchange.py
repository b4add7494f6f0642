"""Rules that change on the way: from the first step they are the new ones, before theirs the old.

What is refused is named, with the way out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from stresslab.contagion import Contagion
from stresslab.contagion.twins import compare
from stresslab.core.declarations import build, faults
from stresslab.core.errors import ConfigError
from stresslab.core.events import CAUSE_ID
from stresslab.margin.pools import pool_states
from stresslab.model import ChangingModel
from stresslab.scenario import Scenario
from tests.markets import TIERS, Tables, changed, fall, lively, run, tables_of

AT = 12  # prices fall in step 6 and in step 16


def story(book: str, **changes: Any) -> dict[str, Any]:
    """Return a lively market with funding in which everything falls by a fifth, twice."""
    return changed(
        lively(book, 0.6),
        duration_seconds=24.0,
        market__funding={"interval_seconds": 6.0, "interest_rate": 0.002, "clamp": 0.01},
        market__shocks={n: fall(0.2, "BTC", "ETH", at=at) for n, at in (("a", 6.0), ("b", 16.0))},
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
        margin__brackets=dict.fromkeys(("BTC", "ETH"), TIERS),
        **changes,
    )


#: Other differences of rates too, so that deductions change.
STRICTER = [
    {**tier, "maintenance_rate": rate} for tier, rate in zip(TIERS, (0.05, 0.09, 0.12), strict=True)
]
BREAKER = {"move": 0.05, "window_seconds": 10.0, "halt_seconds": 5.0}
#: Rules by path, and the book of the market.
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "feedback": ("impact", {"liquidation__feedback": "no_feedback"}),
    "deleveraging": ("impact", {"liquidation__adl": False}),
    "penalty": ("impact", {"margin__cross__penalty_rate": 0.02}),
    "closure": ("impact", {"margin__cross__closure": {"kind": "whole"}}),
    "throttle": ("limit_order_book", {"liquidation__usd_per_step": 100.0}),
    "fees": ("limit_order_book", {"market__fees": {"maker_rate": 0.001, "taker_rate": 0.004}}),
    "maintenance": ("impact", {"margin__brackets": dict.fromkeys(("BTC", "ETH"), STRICTER)}),
}


@cache
def original(book: str) -> Tables:
    return run(story(book))


def changing(before: dict[str, Any], rules: dict[str, Any], step: int) -> ChangingModel:
    """Return a market that takes up other rules in a step."""
    old = changed(before, counterfactual={"from_step": step})
    scenario, later = (build(Scenario, plain) for plain in (old, changed(old, **rules)))
    assert not [*faults(scenario), *faults(later)]
    return ChangingModel(scenario, later, seed=1, replicate=0)


def twin(before: dict[str, Any], rules: dict[str, Any], step: int) -> Tables:
    return tables_of(changing(before, rules, step))


def assert_equal(one: Tables, other: Tables) -> None:
    for name, columns in one.items():
        for column, values in columns.items():
            assert np.array_equal(values, other[name][column]), (name, column)


@pytest.mark.parametrize("name", RULES)
def test_from_the_first_step_is_from_the_start(name: str) -> None:
    book, rules = RULES[name]
    whole = run(changed(story(book), **rules))
    assert compare(original(book), whole).parting is not None
    found = twin(story(book), rules, 1)
    if name == "maintenance":  # the map was drawn before
        found["liquidation_map"] = whole["liquidation_map"]
    assert_equal(whole, found)


@pytest.mark.parametrize("name", ["feedback", "closure", "throttle"])
def test_from_a_later_step_what_was_before_stands(name: str) -> None:
    book, rules = RULES[name]
    found = twin(story(book), rules, AT)
    parting = compare(original(book), found).parting
    assert parting is not None and parting.step >= AT
    Contagion(found).check()
    assert len(Contagion(found).ids) > 10


def test_the_same_rules_change_nothing() -> None:
    assert_equal(original("impact"), twin(story("impact"), {}, AT))


def test_stricter_margin_on_the_way_is_a_cause_of_its_own() -> None:
    """What was short of nothing by the old brackets is short by the new ones, and they did it."""
    book, rules = RULES["maintenance"]
    model, excess = changing(story(book), rules, AT), np.empty(0, np.int64)
    settle = model.settle

    def look_and_settle() -> None:  # the last judgement of a step comes right before
        nonlocal excess
        if model.recorded_step == AT - 1:
            c = model.world.clearing
            codes = np.arange(c.accounts.cash.size)
            equity, need, _ = pool_states(c.accounts, c.tables, model.world.board.ticks, codes)
            excess = equity - need
        settle()

    model.settle = look_and_settle  # type: ignore[method-assign]
    found = Contagion(tables_of(model))
    rows = found.liquidations
    is_asked = found.amounts.cause == CAUSE_ID["requirement"]
    fell = found.amounts.liquidation[is_asked]
    assert fell.size > 3 and (found.amounts.micro_usd[is_asked] > 0).all()
    assert set(rows["step"][np.isin(found.ids, fell)].tolist()) == {AT}
    ids = model.world.clearing.accounts.id.tolist()
    pools = [(int(asset) + 1) * len(ids) + ids.index(int(account)) for asset, account in
             zip(rows["asset"], rows["account"], strict=True)]  # fmt: skip
    is_first = (rows["step"] == AT) & (rows["round"] == 0)
    known = excess[np.array(pools)[is_first]]
    assert (known >= 0).all() and known.tolist() == rows["excess_before_micro_usd"][
        is_first
    ].tolist()


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ({"liquidation__insurance_fund_usd": 5.0}, "changes how the market opens"),
        ({"market__shocks": {"a": fall(0.1, at=6.0)}}, "changes how the market opens"),
        ({"traders__speculators__count": 59}, "changes how the market opens"),
        ({"market__mark": {"rule": "index"}}, "changes how the market opens"),
        ({"market__circuit_breaker": BREAKER}, "cannot be changed on the way"),
        ({"market__funding__interval_seconds": 4.0}, "cannot be changed on the way"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_would_have_made_another_past_is_refused(
    rules: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{complaint} .*without --from-step it holds"):
        twin(story("impact"), rules, AT)
