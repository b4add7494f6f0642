"""The crowd at work: asked at the last mark, with room for all orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.core.columns import POST_ONLY, Market, make_accounts
from stresslab.core.random import Streams
from stresslab.traders.choice.fixed_share import FixedShare
from stresslab.traders.crowd import Crowd
from stresslab.traders.strategies import STRATEGIES
from stresslab.traders.strategies.passive import Passive
from tests.toy_traders import INSTRUMENTS, draw, groups_of, random_market, rows_of

PEOPLE: dict[str, Any] = {
    "count": 12,
    "wealth": {"kind": "equal", "amount_usd": 1e6},
    "seconds_between_turns": 0.0,
}
QUOTES = {"kind": "market_maker", "n_levels": 50, "quote_size": 0.001, "size_growth": 0.0}
MAKERS = {"strategy": QUOTES, **PEOPLE}
FOLLOWERS = {"strategy": {"kind": "momentum", "threshold_per_minute": 1e-9}, **PEOPLE}


def _crowd(**configs: dict[str, Any]) -> tuple[Crowd, Market]:
    groups = groups_of(**configs)
    population = draw(groups)
    accounts = make_accounts(population.id.size, 4)
    accounts.id[:] = population.id
    accounts.wallet[:] = population.columns.wealth
    market = random_market(np.random.default_rng(0))
    market.index[:], market.mark[:] = INSTRUMENTS.price, INSTRUMENTS.price
    market.unit_value[:], market.trend[:] = INSTRUMENTS.unit_value, 0.01
    market.volatility[:] = 0.0
    crowd = Crowd(
        groups, FixedShare(cross_share=1.0), population, accounts, market, Streams(1, 0), 1.0, 9
    )
    crowd.prepare()
    return crowd, market


def test_the_batch_grows_with_the_orders() -> None:
    crowd, _ = _crowd(makers=MAKERS)
    orders = rows_of(crowd.decide(1))
    assert len(orders) == 12 * 3 * (1 + 2 * 50) > 1_024
    assert {order[0] for order in orders} == set(range(12))


def test_each_step_is_asked_at_its_own_mark() -> None:
    crowd, market = _crowd(followers=FOLLOWERS)
    at_first = [order[3] for order in rows_of(crowd.decide(1))]
    market.mark[:] *= 2
    at_twice = [order[3] for order in rows_of(crowd.decide(2))]
    assert len(at_first) == 36
    assert np.allclose(np.array(at_first) / at_twice, 2.0, rtol=0.02)


def test_nobody_asks_those_who_never_act(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Passive, "decide_all", lambda *_: asked.append("passive"))
    holders = {"strategy": {"kind": "passive"}, **PEOPLE}
    _crowd(holders=holders)[0].decide(1)
    assert not asked

    class Waking(Passive):
        """Inherits all but the rest."""

    monkeypatch.setitem(STRATEGIES, "passive", Waking)
    _crowd(holders=holders)[0].decide(1)
    assert asked == ["passive"]


def test_books_are_opened_by_those_who_make_the_market() -> None:
    crowd, _ = _crowd(makers=MAKERS, followers=FOLLOWERS)
    orders = rows_of(crowd.open_books())
    assert {order[0] for order in orders} == set(range(12))
    assert sum(order[2] == POST_ONLY for order in orders) == 12 * 3 * 2 * 50


def test_a_step_without_turns_has_no_orders() -> None:
    crowd, _ = _crowd(followers={**FOLLOWERS, "seconds_between_turns": 1e7})
    assert [int(crowd.decide(step).n[0]) for step in range(1, 10)] == [0] * 9
