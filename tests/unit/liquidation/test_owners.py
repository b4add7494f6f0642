"""Whose doing the price move of a round is."""

from __future__ import annotations

import numpy as np

from stresslab.core.events import CAUSE_ID, CAUSES
from stresslab.liquidation.forced import make_forced_orders
from stresslab.liquidation.owners import owners

SPELLS = np.array([-1, 5, 6, 7])  # liquidations by pool


def owned(ticks: float, *filled: int, assets: tuple[int, ...] = ()) -> list[tuple[int, float]]:
    """Return (liquidation, ticks) of a move of asset 0; pools 1, 2, 3 filled so many lots."""
    orders = make_forced_orders(8)
    orders.n[0] = len(filled)
    orders.pool[: len(filled)] = range(1, 1 + len(filled))
    orders.filled[: len(filled)] = filled
    orders.asset[: len(assets)] = assets
    return [(cause - len(CAUSES), part) for cause, part in owners(orders, SPELLS, 0, ticks)]


def test_a_move_is_shared_by_filled_lots():
    assert owned(-8.0, -10, -30) == [(5, -2.0), (6, -6.0)]
    assert owned(4.0, 30, 10, 0) == [(5, 3.0), (6, 1.0)], "who filled nothing moved nothing"
    assert owned(-8.0, -10, -30, assets=(0, 1)) == [(5, -8.0)], "nor who sold something else"


def test_opposing_orders_cancel_while_the_net_flow_explains_the_move():
    """Sales of 40 and a purchase of 10 move the price down by 6: the buyer's part is +2."""
    assert owned(-6.0, -30, 10, -10) == [(5, -6.0), (6, 2.0), (7, -2.0)]


def test_a_move_against_the_net_flow_belongs_to_the_orders_on_its_side():
    assert owned(-6.0, -10, 50, -20) == [(5, -2.0), (7, -4.0)]
    assert owned(6.0, -10, 10) == [(6, 6.0)], "no net flow explains no move"


def test_a_move_that_no_order_made_belongs_to_the_quotes_withdrawn():
    quotes = (CAUSE_ID["quotes"] - len(CAUSES), -6.0)
    assert owned(-6.0, 10, 20) == [quotes]
    assert owned(-6.0) == [quotes]
