"""How many levels a pool has crossed, and when that is news."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.alerts import Alerts
from tests.markets import TICKS, USD, market, model_of, people

LEVELS = np.array([500_000_000, 800_000_000])


@pytest.mark.parametrize(("equity", "crossed"), [
    (100_000_000, 0), (99_999_999, 1), (62_500_000, 1), (62_499_999, 2), (50_000_000, 2),
    (49_999_999, 3), (0, 3), (-1, 3),
])  # fmt: skip
@pytest.mark.parametrize("pool", [0, 1])
def test_a_level_is_crossed_beyond_it_to_the_unit(equity, crossed, pool):
    """10 lots at 100 USD need 50 USD: half of 100, 0.8 of 62.50; above 50 is a breach."""
    mode = "isolated" if pool else "cross"
    story = market({"one": people((1e3, {"BTC": 10}), (1e3, {"BTC": -10}), mode=mode)})
    c = model_of(story).world.clearing
    c.accounts.cash[pool, 1] = equity + 1000 * USD
    alerts = Alerts(LEVELS, 4)
    codes = np.array([2 * pool + 1])
    found = alerts.crossed(c.accounts, c.tables, np.array([TICKS]), codes)
    assert found.tolist() == [crossed] and alerts.most == 2


def test_it_is_news_when_more_levels_are_crossed_than_at_the_last_judgement():
    alerts = Alerts(LEVELS, 6)

    def judged(**levels):
        codes = np.array([int(code[1:]) for code in levels], np.int64)
        fresh = alerts.judge(codes, np.array(list(levels.values()), np.int8))
        return codes[fresh].tolist()

    assert judged(p1=1, p3=2) == [1, 3]
    assert judged(p1=1, p3=2) == []
    assert judged(p1=2, p3=1, p5=1) == [1, 5]
    assert judged(p3=2) == [3]
    assert judged(p1=2) == [1], "it had recovered"
    assert judged() == []
    assert judged(p0=1, p3=1) == [0, 3]


def test_whoever_had_crossed_no_level_was_silent():
    alerts, codes = Alerts(LEVELS, 4), np.arange(4)
    assert alerts.were_silent(codes).tolist() == [True] * 4
    alerts.judge(np.array([1, 2]), np.array([1, 2], np.int8))
    assert alerts.were_silent(codes).tolist() == [True, False, False, True]
    alerts.judge(np.array([2]), np.array([1], np.int8))
    assert alerts.were_silent(codes[::-1]).tolist() == [True, False, True, True]
