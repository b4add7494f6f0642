"""How much breaches when one price moves alone, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.liquidation_map import FALLS, RISES, liquidation_map
from tests.markets import USD, market, model_of, people, trade


def test_the_moves_are_whole_percents_outward_to_sixty():
    assert FALLS.tolist() == [-10 * percent for percent in range(1, 61)]
    assert RISES.tolist() == [10 * percent for percent in range(1, 61)]


def test_pools_breach_where_equity_meets_maintenance_and_stay_in_breach():
    """Ten lots at 100 USD, maintenance 5 %: with 200 USD a long falls at 200 - 1000 f = 50 (1 - f).

    That is f = 3/19, so at 16 %; a short at 200 - 1000 f = 50 (1 + f), f = 1/7, so at 15 %.
    An isolated long with 100 USD falls at f = 1/19, so at 6 %. The rich never fall.
    """
    venue = {
        "silo": people((100.0, {"BTC": 10}), mode="isolated"),
        "long": people((200.0, {"BTC": 10})), "short": people((200.0, {"BTC": -10})),
        "rich": people((1e6, {"BTC": -10})), "idle": people((1e6, {})),
    }  # fmt: skip
    c = (model := model_of(market(venue))).world.clearing
    marks = model.world.board.ticks.copy()
    falls, rises = (liquidation_map(c.accounts, c.tables, marks, m) for m in (FALLS, RISES))
    isolated, cross = 1, 2
    for (notional, pools), mode, first in (
        (falls, isolated, 6), (falls, cross, 16), (rises, cross, 15)
    ):  # fmt: skip
        expected = [0] * (first - 1) + [1] * (61 - first)
        assert pools[0, mode].tolist() == expected
        assert notional[0, mode].tolist() == [1000 * USD * n for n in expected]
    assert not rises[1][0, isolated].any() and not falls[1][0, 0].any()
    assert marks.tolist() == model.world.board.ticks.tolist()


def test_another_asset_of_the_pool_counts_in_its_notional_and_moves_nothing():
    """10 BTC and 10 ETH with 200 USD: 200 - 1000 f = 50 (1 - f) + 50, so at f = 2/19, 11 %."""
    venue = {"one": people((200.0, {"BTC": 10, "ETH": 10})),
             "rich": people((1e6, {"BTC": -10, "ETH": -10}))}  # fmt: skip
    model = model_of(market(venue, assets=("BTC", "ETH")))
    c = model.world.clearing
    notional, pools = liquidation_map(c.accounts, c.tables, model.world.board.ticks, FALLS)
    for asset in (0, 1):
        assert np.flatnonzero(pools[asset, 2]).tolist() == list(range(10, 60))
        assert set(notional[asset, 2, 10:].tolist()) == {2000 * USD}


def test_a_price_never_falls_below_one_tick():
    model = model_of(market({"one": people((1e6, {})), "rich": people((1e6, {}))}))
    trade(model, 0, 1, 10)
    c, marks = model.world.clearing, np.array([2])
    c.accounts.cash[0, 0] = -10 * USD // 100  # equity of nothing at one tick
    _, pools = liquidation_map(c.accounts, c.tables, marks, np.array([-400, -900, -1000]))
    assert pools[0, 2].tolist() == [1, 1, 1]
    c.accounts.cash[0, 0] += 5 * USD // 1000  # and just its maintenance margin
    _, pools = liquidation_map(c.accounts, c.tables, marks, np.array([-400, -900, -1000]))
    assert pools[0, 2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("lots", [1, -1])
def test_a_lot_is_on_the_map_at_its_mode_and_a_flat_silo_is_not(mode, lots):
    """100 USD with 15: gone beyond 10 % of 95, so from 11 %; from 10 on a rise of 5 % of 105."""
    venue = {"one": people((15.0, {"BTC": lots}), mode=mode), "rich": people((1e6, {"BTC": -lots}))}
    c = (model := model_of(market(venue))).world.clearing
    c.accounts.mode[0, 1] = 1 if c.accounts.position[0, 1] == 0 else c.accounts.mode[0, 1]
    moves = FALLS if lots > 0 else RISES
    notional, pools = liquidation_map(c.accounts, c.tables, model.world.board.ticks, moves)
    row = {"isolated": 1, "cross": 2}[mode]
    assert pools[0, row].sum() == pools.sum() > 0
    first = int(np.flatnonzero(pools[0, row])[0])
    assert moves[first] == (110 if lots > 0 else 100) * -lots
    assert notional[0, row, first:].tolist() == [100 * USD] * (60 - first)
