"""What moves when winners pay for a deficit."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.payers import make_payers
from stresslab.liquidation.transfers import cut_profits
from tests.markets import USD, market, model_of, people, sums


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
