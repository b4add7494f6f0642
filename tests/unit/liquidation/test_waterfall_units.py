"""The waterfall to the last unit: severities, shares of legs, advances and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.declarations import build
from stresslab.core.ledger import INSURANCE_FUND, SHORTFALL
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.waterfall import Advance, Waterfall
from tests.markets import LOT, TICKS, USD, market, model_of, people, sums

MARKS = np.array([TICKS, TICKS])


def venue(*accounts, mode="cross", **rules):
    """Return a waterfall over some accounts and one that takes the other side of all."""
    rest = {a: -sum(lots.get(a, 0) for _, lots in accounts) for a in ("BTC", "ETH")}
    story = market({"some": people(*accounts, mode=mode), "rest": people((1e6, rest))},
                   assets=("BTC", "ETH"))  # fmt: skip
    model = model_of(story)
    c = model.world.clearing
    declared = build(LiquidationRules, rules)
    return Waterfall(c.accounts, c.house, c.journal, c.tables, declared), c, model


@pytest.mark.parametrize("deficit", [1, 2, 3, 1_000_001])
@pytest.mark.parametrize(("severity", "adl"), [(0.0, 0), (0.5, 1), (1.0, 2)])
def test_winners_give_their_part_of_the_deficit_rounded_down_and_all_the_rest(
    deficit, severity, adl
):
    """The market has closed the position; its winner has 100 USD of profit."""
    fall, c, model = venue((1e3, {}), (1e3, {"BTC": -10}), adl_severity=severity)
    c.accounts.entry_cost[0, 1] = -10 * 110 * USD
    c.accounts.cash[0, 0] = -deficit
    money = sums(model)
    fall.begin()
    settled = fall.settle(0, 0, 0, MARKS, deficit, 7)
    by_winners = deficit * adl // 2
    assert (settled.adl, settled.socialised) == (by_winners, deficit - by_winners)
    assert settled.seized == ([(1, 0, 0, by_winners)] if by_winners else [])
    assert sum(paid for _, paid in settled.shared) == deficit - by_winners
    assert c.accounts.cash[0, 0] == 0 and sums(model) == money


def test_without_adl_severity_says_nothing():
    fall, c, _ = venue((1e3, {}), (1e3, {"BTC": -10}), adl=False)
    c.accounts.entry_cost[0, 1] = -10 * 110 * USD
    settled = fall.settle(0, 0, 0, MARKS, 9, 7)
    assert (settled.adl, settled.socialised) == (0, 9)


@pytest.mark.parametrize(("deficit", "losses"), [(3, [2, 1]), (4, [3, 1]), (1, [1, 0]), (0, [])])
def test_legs_share_a_deficit_by_what_they_need(deficit, losses):
    """20 BTC and 10 ETH: two thirds and one, the larger remainder first."""
    fall, c, _ = venue((1e3, {"BTC": 10, "ETH": 20}), position_adl={"kind": "by_contracts"})
    c.accounts.cash[0, 0] = -30 * LOT - deficit
    settled = fall.settle(0, 0, 0, MARKS, deficit, 7)
    assert [row[1:] for row in settled.seized] == [
        (a, lots, loss) for (a, lots), loss in zip(((1, 20), (0, 10)), losses, strict=False)
    ]
    assert settled.adl == deficit and settled.socialised == 0
    assert c.accounts.position[:, 0].tolist() == ([10, 20] if deficit == 0 else [0, 0])


@pytest.mark.parametrize("equity", [0, 1, 2, 3, 100])
def test_a_leg_that_finds_nobody_takes_its_part_of_the_equity_along_rounded_down(equity):
    """A third of the pool's need is BTC's."""
    fall, c, model = venue((1e3, {"BTC": 10, "ETH": 20}))
    c.accounts.cash[0, 0] = -30 * LOT + equity
    money = sums(model)
    taken = fall.take_over(0, 0, 0, MARKS, 7)
    assert taken.seized == [(1, 0, 10, -(equity // 3))] and taken.adl == -(equity // 3)
    assert c.accounts.position[:, 0].tolist() == [0, 20]
    assert c.accounts.cash[0, 0] == -20 * LOT + equity - equity // 3
    assert sums(model) == money


def test_a_silo_s_leg_goes_with_all_its_equity_and_a_flat_asset_is_no_leg():
    fall, c, _ = venue((1e3, {"ETH": 20}), mode="isolated")
    c.accounts.cash[2, 0] = -20 * LOT + 50
    assert fall.take_over(2, 0, 0, MARKS, 7).seized == []
    assert fall.take_over(0, 0, 1, MARKS, 7).seized == [], "it is none of the wallet's legs"
    assert fall.take_over(2, 0, 1, MARKS, 7).seized == [(1, 1, 20, -50)]


def test_a_policy_that_waits_for_withdrawals_lets_the_venue_advance_the_rest():
    fall, c, model = venue((1e3, {}), (1e3, {}), socialised_loss={"kind": "on_withdrawal"})
    c.accounts.cash[0, 0] = -9
    money = sums(model)
    settled = fall.settle(0, 0, 1, MARKS, 9, 7)
    assert (settled.adl, settled.socialised, settled.shared) == (0, 9, [])
    assert fall.advances == [Advance(7, 1, 9)] and c.house.cash[SHORTFALL] == -9
    assert c.accounts.cash[0, 0] == 0 and sums(model) == money


def test_nothing_is_advanced_for_a_deficit_that_winners_have_paid():
    fall, c, _ = venue((1e3, {}), (1e3, {"BTC": -10}), socialised_loss={"kind": "on_withdrawal"})
    c.accounts.entry_cost[0, 1] = -10 * 110 * USD
    settled = fall.settle(0, 0, 0, MARKS, 9, 7)
    assert (settled.adl, settled.socialised) == (9, 0)
    assert fall.advances == [] and c.house.postings[0] == 2, "one posting from, one to"


@pytest.mark.parametrize(("fund", "paid", "owed"), [
    (0, [], [5, 7]), (-3, [], [5, 7]), (4, [4], [1, 7]), (5, [5], [7]), (8, [5, 3], [4]),
    (12, [5, 7], []), (20, [5, 7], []),
])  # fmt: skip
def test_funds_pay_advances_back_the_oldest_first(fund, paid, owed):
    fall, c, model = venue((1e3, {}))
    fall.advances = [Advance(3, 0, 5), Advance(1, 1, 7)]
    c.house.cash[INSURANCE_FUND], c.house.cash[SHORTFALL] = fund, -12
    money = sums(model)
    found = fall.repay()
    assert [amount for _, amount in found] == paid
    assert [advance.liquidation for advance, _ in found] == [3, 1][: len(paid)]
    assert [advance.owed for advance in fall.advances] == owed
    assert c.house.cash[INSURANCE_FUND] == fund - sum(paid)
    assert c.house.cash[SHORTFALL] == sum(paid) - 12 and sums(model) == money


def test_all_who_withdraw_keep_back_their_part_and_whoever_has_nothing_gives_nothing():
    """10 micro-USD of wallets of 3, 1, 0 and less, and 16 of the other side: 2, 0 and 8."""
    fall, c, model = venue((1e3, {}), (1e3, {}), (1e3, {}), (1e3, {}))
    assert fall.withdraw_all(MARKS) == []
    fall.advances = [Advance(3, 0, 4), Advance(1, 1, 6)]
    c.accounts.cash[0] = 4, 0, -5, 1, 15
    money = sums(model)
    assert fall.withdraw_all(MARKS) == [(0, 2), (3, 1), (4, 7)]
    assert c.accounts.cash[0].tolist() == [2, 0, -5, 0, 8] and sums(model) == money


def test_whoever_gave_lots_and_whoever_got_them_is_remembered_with_what_they_paid():
    """By pool code, with the number of the liquidation: 10 lots come at 100 USD less their part."""
    fall, c, _ = venue((1e3, {"BTC": 10}), mode="isolated")
    c.accounts.cash[1, 0] = -10 * LOT - 6
    fall.settle(1, 0, 0, MARKS, 6, 7)
    noted = np.concatenate(fall.trail._chunks, axis=1).T.tolist()
    assert sorted(noted) == [[1, 0, 10, 10 * LOT + 6, 7], [2, 0, -10, -10 * LOT - 6, 7]]
