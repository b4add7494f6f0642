"""What policies are told about winners and payers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.payers import (
    contributors,
    count_bearable,
    list_legs,
    list_solvent,
    list_winners,
    make_payers,
)
from tests.markets import TICKS, USD, market, model_of, people

MARKS = np.array([TICKS - 1000, TICKS + 500])  # BTC at 90, ETH at 105


@pytest.fixture
def venue():
    """Return clearing and room for payers.

    Shorts of 10 BTC and 4 ETH: account 1 isolated with 100 and 40 USD, account 2 cross with 500.
    The longs are account 0, and account 3 holds nothing.
    """
    model = model_of(
        market(
            {
                "longs": people((1e4, {"BTC": 20, "ETH": 8})),
                "silos": people((140.0, {"BTC": -10, "ETH": -4}), mode="isolated"),
                "pools": people((500.0, {"BTC": -10, "ETH": -4}), (30.0, {})),
            },
            assets=("BTC", "ETH"),
        )
    )
    c = model.world.clearing
    return c, make_payers(c.accounts.cash.size), np.arange(4)


def seen(payers, count):
    rows = np.arange(count)
    found = contributors(payers, count, 90 * USD, rows, rows)
    return {
        name: (column // (USD if name not in ("side", "lots") else 1)).tolist()
        for name, column in found._asdict().items()
        if name not in ("most", "bearable")
    }


def test_winners_of_a_market_with_the_pools_behind_them(venue):
    c, payers, by_id = venue
    count = list_winners(c.accounts, c.tables, MARKS, 0, -1, 0, by_id, payers)
    assert payers.row[:count].tolist() == [1, 2] and payers.pool[:count].tolist() == [1, 0]
    assert seen(payers, count) == {
        "side": [-1, -1],
        "lots": [10, 10],
        "value": [900, 900],
        "cost": [1000, 1000],
        "profit": [100, 100],
        "equity": [200, 500 + 100 - 20],
        "maintenance": [45, 45 + 21],
        "notional": [900, 900 + 420],
        "wallet": [100, 500],
    }


def test_those_in_profit_of_either_side_and_nobody_excluded(venue):
    c, payers, by_id = venue
    for market_, rows in ((0, [1, 2]), (1, [0])):
        count = list_winners(c.accounts, c.tables, MARKS, market_, 0, -1, by_id, payers)
        assert payers.row[:count].tolist() == rows
    count = list_winners(c.accounts, c.tables, MARKS, 0, -1, 2, by_id[::-1], payers)
    assert payers.row[:count].tolist() == [1]


def test_what_was_seized_of_a_profit_is_gone(venue):
    c, payers, by_id = venue
    c.accounts.profit_cut[0, 1] = 100 * USD - 1
    count = list_winners(c.accounts, c.tables, MARKS, 0, 0, -1, by_id, payers)
    assert payers.row[:count].tolist() == [1, 2] and payers.profit[0] == 1
    c.accounts.profit_cut[0, 1] = 100 * USD
    count = list_winners(c.accounts, c.tables, MARKS, 0, 0, -1, by_id, payers)
    assert payers.row[:count].tolist() == [2]


def test_all_pools_with_equity_may_have_to_share_a_loss(venue):
    """The silo of ETH has 40 - 20 left; the wallet of account 1 is empty, so it is not asked."""
    c, payers, by_id = venue
    count = list_solvent(c.accounts, c.tables, MARKS, 0, 0, by_id, payers)
    pools = list(zip(payers.row[:count].tolist(), payers.pool[:count].tolist(), strict=True))
    assert pools == [(1, 1), (1, 2), (2, 0), (3, 0)]
    found = seen(payers, count)
    assert found["equity"] == [200, 20, 580, 30]
    assert found["lots"] == [10, 0, 10, 0] and found["profit"] == [100, 0, 100, 0]
    assert found["wallet"] == [100, 40, 500, 30]


@pytest.mark.parametrize(
    ("equity", "owed", "bears"),
    [(100, 20, 10), (20, 20, 10), (19, 20, 10), (10, 20, 10), (9, 20, 9), (1, 20, 1), (0, 20, 0),
     (-5, 20, 0), (-5, 0, 0), (0, 0, 10), (5, -20, 10), (-30, -20, 0)],
)  # fmt: skip
def test_how_many_lots_of_ten_a_pool_bears_when_twenty_lose_so_much(equity, owed, bears):
    payers = make_payers(1)
    payers.held[0], payers.equity[0] = -10, equity
    count_bearable(payers, 1, 20, owed)
    assert payers.bearable[0] == bears


@pytest.mark.parametrize(("mode", "expected"), [
    ("isolated", [[-1, -1, -1], [50, -1, -1], [-1, 15, -1], [-1, -1, 10]]),
    ("cross", [[50, 15, 10], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]),
])  # fmt: skip
def test_the_legs_of_a_pool_are_its_own_in_every_market(mode, expected):
    """5 % of 10, 3 and 2 lots of 100 USD, by pool: the wallet, then the silos."""
    held = {"BTC": 10, "ETH": -3, "SOL": 2}
    rest = people((1e6, {name: -lots for name, lots in held.items()}))
    story = market({"one": people((1e4, held), mode=mode), "rest": rest}, assets=tuple(held))
    model = model_of(story)
    c, needs = model.world.clearing, np.zeros(3, np.int64)
    for pool, found in enumerate(expected):
        list_legs(c.accounts, c.tables, model.world.board.ticks, pool, 0, needs)
        assert needs.tolist() == [x * USD if x > 0 else x for x in found]


@pytest.mark.parametrize("side", [1, -1])
def test_a_single_lot_is_a_position_like_any_other(side):
    """One lot from 100 USD to 110 if long, to 90 if short."""
    story = {"one": people((50.0, {"BTC": side})), "rest": people((1e3, {"BTC": -side}))}
    model = model_of(market(story))
    c, marks = model.world.clearing, np.array([TICKS + 1000 * side])
    payers = make_payers(c.accounts.cash.size)
    count = list_winners(c.accounts, c.tables, marks, 0, 0, -1, np.arange(2), payers)
    assert (count, payers.row[0], payers.held[0]) == (1, 0, side)
    assert (payers.profit[0], payers.cash[0]) == (10 * USD, side * 100 * USD)
