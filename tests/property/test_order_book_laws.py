"""Whatever is sent to a book: it is never crossed, lots are conserved, the oldest goes first."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY
from stresslab.market.limit_order_book import OrderBook

ORDER = st.tuples(
    st.sampled_from((LIMIT, LIMIT, LIMIT, MARKET, IOC, POST_ONLY)),
    st.sampled_from((1, -1)),
    st.integers(1, 20),
    st.integers(40, 60),
)


@given(orders=st.lists(ORDER, min_size=1, max_size=60))
def test_never_crossed_and_lots_conserved(orders):
    """Each order has its own owner, so the owner names the order."""
    book = OrderBook(100, n_owners=len(orders))
    bought, sold = defaultdict(int), defaultdict(int)
    for name, (kind, side, lots, price) in enumerate(orders):
        _, trades = book.submit(name, side * lots, price, kind)
        for maker, taker, traded_at, amount in trades:
            assert kind == MARKET or (price - traded_at) * side >= 0
            (bought if side > 0 else sold)[taker] += amount
            (sold if side > 0 else bought)[maker] += amount
        bids, asks = book.bids(), book.asks()
        assert not bids or not asks or bids[0][1] < asks[0][1]

    assert sum(bought.values()) == sum(sold.values())
    resting = {owner: lots for owner, _, lots in book.bids() + book.asks()}
    for name, (kind, _, lots, _) in enumerate(orders):
        done = bought[name] + sold[name] + resting.get(name, 0)
        assert done <= lots
        if kind == LIMIT:
            assert done == lots
    assert book.books.resting_buy.sum() == sum(lots for _, _, lots in book.bids())
    assert book.books.resting_sell.sum() == sum(lots for _, _, lots in book.asks())


@given(lots=st.lists(st.integers(1, 9), min_size=2, max_size=20), taken=st.integers(1, 200))
def test_at_one_price_the_oldest_order_fills_first(lots, taken):
    book = OrderBook(100, n_owners=len(lots) + 1)
    for owner, amount in enumerate(lots):
        book.submit(owner, -amount, 50)
    _, trades = book.submit(len(lots), taken, 50, IOC)

    left, expected = taken, []
    for owner, amount in enumerate(lots):
        if left > 0:
            expected.append((owner, len(lots), 50, min(left, amount)))
        left -= amount
    assert trades == expected
