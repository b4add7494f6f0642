"""What moves when winners pay for a deficit."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.ledger import SHORTFALL
from stresslab.liquidation.payers import make_payers
from stresslab.liquidation.transfers import (
    advance,
    collect,
    cut_profits,
    hand_over,
    pay_from_fund,
    retire_if_flat,
)
from tests.markets import LOT, USD, market, model_of, people, sums


@pytest.mark.parametrize(
    ("most", "paid", "left"),
    [
        ((0, 3, 9), {2: 3, 3: 2}, 0),  # who has nothing is passed over
        ((5, 3, 9), {1: 5}, 0),  # who comes after the last unit gives nothing
        ((1, 0, 2), {1: 1, 3: 2}, 2),
    ],
)
def test_profit_is_seized_in_turn_and_no_more_than_each_has(most, paid, left):
    """A debt of 5 micro-USD is paid by accounts 1, 2 and 3, asked in this order."""
    longs = [(1000.0, {"BTC": 10})] * 3
    model = model_of(market({"some": people((1e4, {"BTC": -30}), *longs)}))
    c, payers = model.world.clearing, make_payers(8)
    cash, money = c.accounts.cash[0].copy(), sums(model)

    rest, count = cut_profits(
        c.accounts, c.house, c.journal, 0, 0, 0, 5, np.array([1, 2, 3]), np.array(most), payers
    )

    assert rest == left and count == len(paid)
    assert dict(zip(payers.row[:count].tolist(), payers.paid[:count].tolist(), strict=True)) == paid
    assert payers.cash[:count].tolist() == list(paid.values())
    assert not payers.lots[:count].any() and not payers.pool[:count].any()
    changes = (c.accounts.cash[0] - cash).tolist()
    assert changes == [5 - left, *(-paid.get(row, 0) for row in (1, 2, 3))]
    assert c.accounts.profit_cut[0].tolist() == [0, *(paid.get(row, 0) for row in (1, 2, 3))]
    assert sums(model) == money and money[0] > USD


# -- lots handed over ------------------------------------------------------------------------------


def handed(side, owed, queue, *, lots=10):
    """Hand a leg of so many lots over along a queue of (row, most); return what is left and more.

    Accounts 1, 2 and 3 hold 5 lots each of the other side, all at the mark of 100 USD.
    """
    others = [(1e3, {"BTC": -5 * side})] * 3
    rest = (1e6, {"BTC": (15 - lots) * side})
    model = model_of(market({"some": people((1e4, {"BTC": lots * side}), *others, rest)}))
    c, payers = model.world.clearing, make_payers(8)
    rows, most = (np.array(column, np.int64) for column in zip(*queue, strict=True))
    before, cash = sums(model), c.accounts.cash[0].copy()
    left, count = hand_over(
        c.accounts, c.house, c.journal, c.tables, model.world.board.ticks, 0, 0, owed, rows, most,
        payers,
    )  # fmt: skip
    assert sums(model) == before
    found = zip(*(getattr(payers, name)[:count].tolist() for name in ("row", "lots", "paid")),
                strict=True)  # fmt: skip
    assert payers.cash[:count].tolist() == [
        -x for x in (c.accounts.cash[0] - cash)[payers.row[:count]]
    ]
    return left, list(found), c


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("owed", "losses"), [
    (100, [50, 30, 20]), (7, [4, 2, 1]), (1, [1, 0, 0]), (0, [0, 0, 0]), (-100, [-50, -30, -20]),
    (-7, [-3, -2, -2]),
])  # fmt: skip
def test_lots_go_along_the_queue_each_with_its_part_of_what_is_owed_rounded_up(side, owed, losses):
    """10 lots to whoever may give 5, 0, 3 and 9: who may give none is passed over."""
    left, found, c = handed(side, owed, [(1, 5), (2, 0), (2, 3), (3, 9)])
    assert left == 0
    lots = [5 * side, 3 * side, 2 * side]
    assert found == list(zip((1, 2, 3), lots, losses, strict=True))
    assert c.accounts.position[0, :4].tolist() == [0, 0, -2 * side, -3 * side]
    assert c.accounts.mode[0, :2].tolist() == [0, 0], "whoever is flat is unlocked"
    assert c.journal.adl_lots[c.journal.slot[:4], 0].tolist() == [-10 * side, *lots]


@pytest.mark.parametrize("off", [0, -1])
def test_whoever_cannot_bear_its_part_is_passed_over(off):
    """5 of 10 lots lose 40 USD, which account 1 has, or a micro-USD less."""
    some = people((1e4, {"BTC": 10}), *[(1000.0, {"BTC": -5})] * 2)
    model = model_of(market({"some": some}))
    c, payers = model.world.clearing, make_payers(8)
    c.accounts.cash[0, 1] = 5 * LOT + 40 * USD + off
    left, count = hand_over(
        c.accounts, c.house, c.journal, c.tables, model.world.board.ticks, 0, 0, 80 * USD,
        np.array([1, 2]), np.array([5, 5]), payers,
    )  # fmt: skip
    assert payers.row[:count].tolist() == ([1, 2] if off == 0 else [2])
    assert left == (0 if off == 0 else 40 * USD)


def test_nobody_is_asked_once_the_leg_is_gone():
    left, found, c = handed(1, 50, [(1, 5), (2, 5), (3, 5)], lots=5)
    assert (left, found) == (0, [(1, 5, 50)]) and c.journal.slot[2] == -1


def test_what_is_not_handed_over_stays_owed():
    left, found, c = handed(-1, 101, [(1, 3)])
    assert found == [(1, -3, 31)] and left == 70
    assert c.accounts.position[0, 0] == -7


# -- the fund and everybody ------------------------------------------------------------------------


def test_funds_pay_in_turn_as_far_as_each_goes_and_flat_silos_are_unlocked():
    """12 micro-USD in the common fund, 3 in that of ETH; deficits of 5, 4, 0 and 9."""
    held = {"BTC": 5, "ETH": 5}
    story = market({"some": people((1e3, held), (1e3, held), mode="isolated"),
                    "rest": people((1e6, {"BTC": -10, "ETH": -10}))}, assets=("BTC", "ETH"),
                   liquidation__insurance_fund_by_asset_usd={"ETH": 1.0})  # fmt: skip
    model = model_of(story)
    c = model.world.clearing
    c.house.cash[c.house.fund[[0, 1]]] = 12, 3
    c.accounts.position[0, 0] = c.accounts.position[0, 1] = 0
    c.accounts.cash[1, :2] = -5, 0
    pools, assets = np.array([3, 6, 4, 7]), np.array([0, 1, 0, 0])
    deficits, paid = np.array([5, 4, 0, 9]), np.full(4, -1)
    money, cash = sums(model)[0], c.accounts.cash[2].copy()
    pay_from_fund(c.accounts, c.house, c.journal, pools, assets, deficits, paid)
    assert paid.tolist() == [5, 3, 0, 7] and c.house.cash[c.house.fund[[0, 1]]].tolist() == [0, 0]
    assert sums(model)[0] == money
    assert (c.accounts.cash[2] - cash).tolist() == [3, 7, 0]
    assert c.accounts.mode[:, :2].tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(("off", "mode"), [(0, 0), (5, 0), (-1, 1)])
def test_a_flat_silo_is_unlocked_unless_it_owes(off, mode):
    story = market({"one": people((1e3, {"BTC": 5}), (1e3, {"BTC": -5}), mode="isolated")})
    c = model_of(story).world.clearing
    for pool in (0, 1):
        retire_if_flat(c.accounts, c.house, c.journal, pool, 0)
        assert c.accounts.mode[0, 0] == 1, "it is not flat"
    c.accounts.position[0, 0], c.accounts.cash[1, 0] = 0, off
    retire_if_flat(c.accounts, c.house, c.journal, 0, 0)
    assert c.accounts.mode[0, 0] == 1, "nor is that the wallet's business"
    retire_if_flat(c.accounts, c.house, c.journal, 1, 0)
    assert c.accounts.mode[0, 0] == mode


@pytest.mark.parametrize("pool", [0, 1, -1])
def test_a_loss_is_collected_from_payers_for_the_pool_or_for_the_venue(pool):
    """7 from a wallet, nothing from another, 5 from a silo."""
    story = market({"some": people((1e3, {"BTC": 5}), (1e3, {}), (1e3, {"BTC": -5}),
                                   mode="isolated")})  # fmt: skip
    model = model_of(story)
    c, payers = model.world.clearing, make_payers(8)
    payers.row[:3], payers.pool[:3] = [1, 0, 2], [0, 0, 1]
    before, money = c.accounts.cash.copy(), sums(model)
    places, paid = np.array([2, 0, 1]), np.array([5, 7, 0])
    collect(c.accounts, c.house, c.journal, pool, 0, payers, places, paid)
    change = (c.accounts.cash - before).tolist()
    expected = [[0, -7, 0], [0, 0, -5]]
    if pool >= 0:
        expected[pool][0] += 12
    assert change == expected and sums(model) == money
    assert c.house.cash[SHORTFALL] == (12 if pool < 0 else 0)


def test_what_the_venue_advances_it_is_short_of():
    model = model_of(market({"some": people((1e3, {"BTC": 5}), (1e3, {"BTC": -5}))}))
    c, money = model.world.clearing, sums(model)
    cash = c.accounts.cash[0, 0]
    advance(c.accounts, c.house, c.journal, 0, 0, 9)
    assert c.accounts.cash[0, 0] - cash == 9 and c.house.cash[SHORTFALL] == -9
    assert sums(model) == money
