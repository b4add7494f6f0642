"""The arbitrageur trades outside its bounds, closes at the index and rests in between."""

from __future__ import annotations

import pytest

from stresslab.core.columns import IOC
from stresslab.traders.group import Group
from tests.toy_traders import draws_of, random_group

INDEX, HELD = 10_000, 50
UNIT = 1_000
EQUITY = 10**12
#: Leverage 2 over four assets: half of the equity in each.
FULL = EQUITY // 2 // (INDEX * UNIT)


def group(bid: int, ask: int, held: int = 0) -> Group:
    """Return arbitrageurs who pay 1 % and see these quotes in every asset."""
    made = random_group("arbitrageur", seed=1, cost=0.01, dispersion=0.0)
    made.market.index[:] = made.market.mark[:] = INDEX
    made.market.best_bid[:], made.market.best_ask[:] = bid, ask
    made.market.unit_value[:] = UNIT
    made.accounts.position[:] = held
    made.accounts.silo[:] = 0
    made.accounts.wallet[:] = EQUITY - 4 * held * INDEX * UNIT
    made.columns.leverage[:] = 2.0
    made.columns.trades[:] = 1
    return made


def orders(bid: int, ask: int, held: int = 0) -> list[tuple[int, int, int, int]]:
    made = group(bid, ask, held)
    answer = made.trader(0).decide(made.market, draws_of(made).of(0))
    return [(o.kind, o.lots, o.price, o.reduce_only) for o in answer if o.asset == 0]


def test_it_buys_what_is_offered_below_its_bound_and_never_pays_more() -> None:
    ((kind, lots, price, reduce_only),) = orders(bid=9_700, ask=9_900)

    assert (kind, price, reduce_only) == (IOC, 9_900, 0)
    assert lots > 0


def test_it_sells_what_is_bid_above_its_bound() -> None:
    ((kind, lots, price, reduce_only),) = orders(bid=10_100, ask=10_200)

    assert (kind, price, reduce_only) == (IOC, 10_100, 0)
    assert lots < 0


@pytest.mark.parametrize("quotes", [(9_890, 9_901), (10_099, 10_110), (9_950, 10_050), (-1, -1)])
def test_it_opens_nothing_between_its_bounds_or_in_an_empty_book(quotes: tuple[int, int]) -> None:
    assert orders(9_700, 9_900)
    assert orders(*quotes) == []


def test_it_closes_when_the_book_is_back_at_the_index() -> None:
    assert orders(bid=10_000, ask=10_010, held=HELD) == [(IOC, -HELD, 10_000, 1)]
    assert orders(bid=9_990, ask=10_000, held=-HELD) == [(IOC, HELD, 10_000, 1)]
    assert orders(bid=9_999, ask=10_001, held=HELD) == []


def test_it_stays_within_its_leverage() -> None:
    assert orders(9_700, 9_900, held=FULL - 10) == [(IOC, 10, 9_900, 0)]
    assert orders(9_700, 9_900, held=FULL) == []
    assert orders(10_100, 10_200, held=10 - FULL) == [(IOC, -10, 10_100, 0)]
