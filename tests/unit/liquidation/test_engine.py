"""Rounds in a step: how many, on which marks, and what a pause or the end of the run does."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import InvariantError
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    tables_of,
)

WHOLE = {"margin__cross__closure": {"kind": "whole"}}
THIN = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 500.0}}


def longs(*wealth, **changes):
    """Return longs of 10 BTC of different wealth, of which a fall by 6 % breaches the poor."""
    return market(
        {"longs": people(*((w, {"BTC": 10}) for w in wealth)),
         "short": people((1e6, {"BTC": -10 * len(wealth)}))},
        **{"market__shocks": {"s": fall(0.06)}, "liquidation__feedback": "market",
           "market__mark": {"rule": "mid"}, "market__book": THIN, **WHOLE, **changes},
    )  # fmt: skip


@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_each_round_breaches_the_next_pool_until_the_capacity_of_the_step_is_used(most):
    """5 lots are a percent: each sale takes 2 % of the index from all who are left."""
    tables = run(longs(100.0, 120.0, 140.0, 160.0, 3000.0, liquidation__rounds_per_step=most))
    found = rows(tables, "forced_orders", "step", "round", "account")
    expected = [(2 + k // most, 1 + k % most, k) for k in range(4) if k // most < 3]
    assert found == expected
    per_step = [sum(1 for step, *_ in expected if step == s) for s in (1, 2, 3, 4)]
    assert tables["totals"]["rounds"].tolist() == per_step
    marks = tables["path"]["lowest_mark_ticks"].tolist()
    assert marks[1] == min(tables["path"]["mark_ticks"].tolist()[:2]) < 9400
    breached = rows(tables, "liquidations", "step", "round", "account")
    assert breached[:2] == [(2, 0, 0), (2, 1, 1)]


def test_the_lowest_mark_is_of_all_judgements_of_the_step_alone():
    """Down to 94 and back to 100 USD in the next steps; nobody is closed."""
    model = model_of(longs(3000.0, market__shocks={}, market__book={"kind": "impact", "law": {
        "kind": "linear", "depth_usd": 1e9}}))  # fmt: skip
    model.world.index[2] = 9400
    lowest = rows(tables_of(model), "path", "step", "lowest_mark_ticks", "mark_ticks")
    assert lowest == [(1, TICKS, TICKS), (2, 9400, 9400), (3, TICKS, TICKS), (4, TICKS, TICKS)]


@pytest.mark.parametrize(("at", "long", "closed"), [
    (2.0, 1.0, 3), (1.0, 1.0, 2), (2.0, 2.0, 4), (3.0, 1.0, 2), (0.0, 10.0, None),
])  # fmt: skip
def test_in_a_pause_pools_are_judged_but_neither_closed_nor_settled(at, long, closed):
    """A silo without equity: breach and alerts are told in step 2, its deficit after the pause."""
    pause = {"p": {"at_seconds": at, "for_seconds": long}}
    tables = run(longs(100.0, market__shocks={"s": fall(0.2)}, market__mark={"rule": "index"},
                       liquidation__pauses=pause, liquidation__feedback="no_feedback"))  # fmt: skip
    assert rows(tables, "liquidations", "step") == [(2,)]
    steps = [] if closed is None else [closed]
    assert tables["forced_orders"]["step"].tolist() == steps
    assert tables["waterfall"]["step"].tolist() == steps
    assert tables["totals"]["rounds"].tolist() == [int(step == closed) for step in (1, 2, 3, 4)]


def test_a_round_in_which_money_came_from_nowhere_stops_the_run():
    model = model_of(longs(100.0))
    trade = model.engine.closing.trade

    def trade_and_lose_one(*args):
        traded = trade(*args)
        model.world.clearing.accounts.cash[0, 1] -= 1
        return traded

    model.engine.closing.trade = trade_and_lose_one
    model.step()
    with pytest.raises(InvariantError, match="round 1"):
        model.step()


def test_who_withdraws_at_the_end_gets_less_what_is_missing_and_the_sums_are_looked_at():
    """1,000 USD of deficit, advanced by the venue: every wallet gives its part at the end."""
    model = model_of(
        longs(100.0, market__shocks={"s": fall(0.2)}, market__mark={"rule": "index"},
              liquidation={"feedback": "no_feedback", "insurance_fund_usd": 0.0, "adl": False,
                           "socialised_loss": {"kind": "on_withdrawal"}})
    )  # fmt: skip
    tables = tables_of(model)
    names = ("step", "liquidation", "account", "asset", "loss_micro_usd")
    assert rows(tables, "socialised", *names) == [(4, -1, 1_000_000, -1, 100 * USD)]


def test_empty_books_end_the_step_with_one_round_in_vain():
    tables = run(longs(100.0, market__book=ORDER_BOOK, market__mark={"rule": "index"}))
    assert tables["totals"]["rounds"].tolist() == [0, 1, 1, 1]
    assert not tables["forced_orders"]["filled_lots"].any()
    assert np.array_equal(tables["forced_orders"]["lots"], [-10] * 3)
