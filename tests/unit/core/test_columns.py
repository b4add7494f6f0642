from __future__ import annotations

from stresslab.core.columns import emptied, make_orders


def test_a_batch_is_used_again_if_it_is_large_enough():
    orders = make_orders(4)
    orders.n[0] = 3
    assert emptied(orders, 4) is orders
    assert orders.n[0] == 0


def test_a_batch_that_is_too_small_gives_way_to_a_larger_one():
    orders = make_orders(4)
    orders.n[0] = 3
    larger = emptied(orders, 5)
    assert larger.lots.size >= 5
    assert larger.n[0] == 0
