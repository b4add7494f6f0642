"""What the floor of order books tells those who measure it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import ORDER_BOOK, TICKS, Ask, buy_at_market, market, people, scripted


def floor_of(*asks):
    """Return the floor after a step for each list of orders."""
    traders = {"some": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))}
    script = dict(enumerate(asks, start=1))
    model = scripted(market(traders, market__book=ORDER_BOOK), script)
    for _ in asks:
        model.step()
    return model.world.floor


@pytest.mark.parametrize("levels", [63, 64, 65, 600])
def test_the_price_of_a_notional_goes_through_as_many_levels_as_it_takes(levels):
    """One lot at each of the next prices: all of them cost their sum, and a tick more has none."""
    asks = [TICKS + k for k in range(1, levels + 1)]
    bids = [TICKS - k for k in range(1, levels + 1)]
    floor = floor_of([Ask(1, 1, p) for p in bids] + [Ask(1, -1, p) for p in asks])

    buying, selling = sum(asks), sum(bids)
    assert floor.impact_prices(0, buying)[1] == pytest.approx(buying / levels, rel=1e-12)
    assert floor.impact_prices(0, selling)[0] == pytest.approx(selling / levels, rel=1e-12)
    assert floor.impact_prices(0, buying + 1)[1] is None
    assert floor.impact_prices(0, selling + 1)[0] is None


def test_a_part_of_the_last_level_counts_at_its_price():
    """One lot at 10,010 and half of one at 10,020."""
    floor = floor_of([Ask(1, -1, TICKS + 10), Ask(1, -1, TICKS + 20)])
    bid, ask = floor.impact_prices(0, 10_010 + 5010)
    assert bid is None
    assert ask == pytest.approx((10_010 + 5010) / 1.5, rel=1e-12)


def test_quotes_are_the_best_prices_and_no_trade_is_the_first_price():
    floor = floor_of([Ask(1, 2, 9990), Ask(1, 3, 9980), Ask(1, -4, 10_010), Ask(1, -1, 10_020)])
    bids, asks = np.zeros((2, 1), np.int64)
    floor.quotes(bids, asks)
    assert (bids.tolist(), asks.tolist()) == ([9990], [10_010])
    assert floor.last_trades().tolist() == [TICKS], "nothing was traded"


def test_the_last_trade_is_at_the_resting_price():
    floor = floor_of([Ask(1, -4, 10_010)], [buy_at_market(0, 1)])
    assert floor.volume.tolist() == [1] and floor.last_trades().tolist() == [10_010]
