"""Zero intelligence: rates, prices and withdrawals are those that its docstring promises."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import CANCEL_ALL, MARKET, POST_ONLY
from tests.markets import ORDER_BOOK, drawn, market, model_of, rows, tables_of
from tests.toy_traders import draws_of, orders_of, random_group, rows_of

REACH, SHARE = 7, 0.25


@pytest.fixture(scope="module")
def sent() -> list[tuple[int, ...]]:
    """Return (asset, kind, lots, distance of the limit from the mark) of many turns."""
    found = []
    for seed in range(80):
        group = random_group("zero_intelligence", seed, lots=3, reach=REACH, market_share=SHARE)
        orders = orders_of(group)
        group.strategy.decide_all(group, group.market, draws_of(group), orders)
        mark = group.market.mark
        found += [(row[1], row[2], row[3], row[4] - int(mark[row[1]])) for row in rows_of(orders)]
    return found


def test_every_turn_withdraws_before_it_sends(sent: list[tuple[int, ...]]) -> None:
    kinds = [row[1] for row in sent if row[0] != 3]  # spot may have nothing to sell
    assert len(kinds) > 1000
    assert set(kinds[::2]) == {CANCEL_ALL}
    assert set(kinds[1::2]) == {MARKET, POST_ONLY}


def test_shares_of_the_market_and_of_sides(sent: list[tuple[int, ...]]) -> None:
    orders = [row for row in sent if row[0] != 3 and row[1] != CANCEL_ALL]
    error = 4 / len(orders) ** 0.5
    assert {abs(row[2]) for row in orders} == {3}
    assert abs(np.mean([row[1] == MARKET for row in orders]) - SHARE) < error * 0.44
    assert abs(np.mean([row[2] > 0 for row in orders]) - 0.5) < error * 0.5


def test_limits_are_even_over_the_ticks_within_reach(sent: list[tuple[int, ...]]) -> None:
    away = [row[3] for row in sent if row[1] == POST_ONLY]
    counts = np.bincount(np.array(away) + REACH, minlength=2 * REACH + 1)
    mean = len(away) / (2 * REACH + 1)
    assert counts.size == 2 * REACH + 1
    assert abs(counts - mean).max() < 4.5 * mean**0.5


def test_a_trader_never_has_two_orders_in_a_book() -> None:
    crowd = drawn("zero_intelligence", 12, 1e6, seconds_between_turns=0.0)
    crowd["strategy"]["market_share"] = 0.0
    model = model_of(market({"crowd": crowd}, duration_seconds=20.0, market__book=ORDER_BOOK))
    model.run()
    resting = model.world.floor.books
    lots = resting.resting_buy + resting.resting_sell
    assert 2 < lots.sum() <= 12
    assert lots.max() == 1


def test_a_schedule_is_followed_step_by_step() -> None:
    buyer = {"strategy": {"kind": "metaorder", "schedule": [3, 0, -1]},
             "accounts": [{"wealth_usd": 1e6}], "seconds_between_turns": 0.0}  # fmt: skip
    tables = tables_of(model_of(market({"buyer": buyer})))
    assert tables["path"]["volume_lots"].tolist() == [3, 0, 1, 0]
    assert rows(tables, "positions", "final_lots") == [(2,)]
