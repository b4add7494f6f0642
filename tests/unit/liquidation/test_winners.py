"""Who is asked to pay for a deficit, what policies are told of them, and what each can give."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.liquidation.division import Division, Queue, Sharing
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.winners import Winners
from tests.markets import TICKS, USD, market, model_of, people

MARKS = np.array([TICKS - 1000, TICKS])  # BTC at 90 USD


class Told(Sharing):
    """Keeps what it is told and asks nobody."""

    def weights(self, contributors):
        raise AssertionError

    def divide(self, amount, contributors):
        self.amount, self.seen = amount, contributors
        return Division(np.array([1, 0]), np.array([3, 4]))


class Poorest(Queue):
    """Asks whoever has least."""

    def score(self, contributors):
        return -contributors.equity


@pytest.fixture
def accounts():
    """Return a market of a long of 12 BTC and shorts of 5, 4 and 3, the last isolated."""
    shorts = people((50.0, {"BTC": -5}), (500.0, {"BTC": -4}))
    silo = people((30.0, {"BTC": -3}), mode="isolated")
    story = market({"long": people((1e3, {"BTC": 12})), "shorts": shorts, "silo": silo},
                   assets=("BTC", "ETH"))  # fmt: skip
    return model_of(story).world.clearing


def winners(clearing, **policies):
    rules = build(LiquidationRules, {})
    for name, policy in policies.items():
        object.__setattr__(rules, name, policy)
    return Winners(clearing.accounts, clearing.tables, rules)


def test_a_policy_that_shares_lots_is_told_of_the_other_side_at_the_mark(accounts):
    """12 lots lose 1,320 USD: 110 USD a lot, of which 100, 540 and 60 USD bear 0, 4 and 0."""
    policy = Told()
    asked = list(winners(accounts, position_adl=policy).of_lots(0, 0, MARKS, 1320 * USD))
    assert [[column.tolist() for column in once] for once in asked] == [[[2, 1], [3, 4]]]
    assert policy.amount == 12 and policy.seen.side.tolist() == [-1, -1, -1]
    assert policy.seen.value.tolist() == [450 * USD, 360 * USD, 270 * USD]
    assert policy.seen.most.tolist() == policy.seen.lots.tolist() == [5, 4, 3]
    assert policy.seen.bearable.tolist() == [0, 4, 0]


def test_a_policy_that_shares_a_cut_is_told_of_profits_that_are_there(accounts):
    """50, 40 and 30 USD of profit; account 1 has but 20 USD of equity to give."""
    accounts.accounts.cash[0, 1] -= 80 * USD
    policy = Told()
    rows, most = winners(accounts, profit_haircut=policy).of_profit(0, 0, MARKS, 7)
    assert (rows.tolist(), most.tolist(), policy.amount) == ([2, 1], [3, 4], 7)
    assert policy.seen.most.tolist() == [20 * USD, 40 * USD, 30 * USD]
    assert policy.seen.bearable.tolist() == policy.seen.most.tolist()


@pytest.mark.parametrize(
    ("owed", "asked"), [(1, [3]), (30, [3]), (31, [3, 1]), (80, [3, 1]), (81, [3, 1, 2])]
)
def test_a_queue_is_asked_as_far_as_it_takes(accounts, owed, asked):
    """Equities are 60, 100 and 540 USD, profits 30, 50 and 40."""
    rows, most = winners(accounts, profit_haircut=Poorest()).of_profit(0, 0, MARKS, owed * USD)
    profits = {3: 30, 1: 50, 2: 40}
    assert rows.tolist() == asked and most.tolist() == [profits[n] * USD for n in asked]


def test_a_queue_for_lots_goes_on_while_the_leg_is_open(accounts):
    """Nobody takes anything: all are asked, one answer after the other, and then nobody."""
    asked = winners(accounts, position_adl=Poorest()).of_lots(0, 0, MARKS, 1)
    first = next(asked)
    assert [column.tolist() for column in first] == [[3, 1, 2], [3, 5, 4]]
    assert list(asked) == []
    again = winners(accounts, position_adl=Poorest()).of_lots(0, 0, MARKS, 1)
    accounts.accounts.position[0, 0] = 4
    assert [column.tolist() for column in next(again)] == [[3, 1], [3, 5]]
    accounts.accounts.position[0, 0] = 0
    assert list(again) == []


@pytest.mark.parametrize("cash", [0, -1])
def test_whoever_has_less_than_nothing_is_not_in_the_queue(accounts, cash):
    """With equity of nothing the leg may come at no loss; with less no lot may come."""
    accounts.accounts.cash[0, 1] = 5 * 90 * USD + cash
    ((rows, most),) = [next(winners(accounts, position_adl=Poorest()).of_lots(0, 0, MARKS, 1))]
    expected = [(1, 5), (3, 3), (2, 4)] if cash == 0 else [(3, 3), (2, 4)]
    assert list(zip(rows.tolist(), most.tolist(), strict=True)) == expected


def test_the_rank_follows_what_has_changed_and_all_of_it_when_begun_anew(accounts):
    found, a = winners(accounts, profit_haircut=Poorest()), accounts.accounts
    assert found.of_profit(0, 0, MARKS, 1)[0].tolist() == [3]
    a.cash[0, 2] -= 530 * USD
    assert found.of_profit(0, 0, MARKS, 1)[0].tolist() == [3], "nobody has said so"
    found.have_changed([2])
    assert found.of_profit(0, 0, MARKS, 1)[0].tolist() == [2]
    a.cash[0, 1] -= 99 * USD
    found.begin()
    assert found.of_profit(0, 0, MARKS, 1)[0].tolist() == [1]
