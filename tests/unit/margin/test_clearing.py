"""What a batch counts on its way through the order books."""

from __future__ import annotations

from stresslab.core.columns import CANCEL_ALL, IOC, LIMIT
from tests.markets import ORDER_BOOK, TICKS, Ask, market, people, scripted


def test_fills_of_one_batch_are_counted_once_each():
    """Two makers, then takers of 2, of 4 across both, of more than is left, and one refused."""
    crowd = people(*[(1e4, {})] * 6)
    model = scripted(
        market({"all": crowd}, market__book=ORDER_BOOK),
        {1: [Ask(0, -5, TICKS, LIMIT), Ask(1, -5, TICKS + 1, LIMIT), Ask(5, 3, TICKS - 9, LIMIT)],
         2: [Ask(2, 2, TICKS, IOC), Ask(3, 4, TICKS + 1, IOC), Ask(4, 9, TICKS + 1, IOC),
             Ask(4, 10**6, TICKS, LIMIT), Ask(5, 0, kind=CANCEL_ALL)]},
    )  # fmt: skip
    model.step()
    assert model.world.floor.totals()[:3] == (0, 3, 0)
    model.step()
    accounts = model.world.clearing.accounts
    assert accounts.position[0, :2].tolist() == [-5, -5]
    assert accounts.position[0, 2:].sum() == 10 and accounts.position[0, 5] == 0
    fills, requested, refused = model.world.floor.totals()[:3]
    assert (requested - 3, refused) == (4, 1)
    shared = sum(1 for lots in accounts.position[0, 2:5] if lots > 0)
    assert fills == shared + 1, "one order takes from both makers"
    assert model.world.floor.volume[0] == 10
