"""The compiled book against a plain one, published cases and peers' streams."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY
from stresslab.market.limit_order_book import OrderBook, best_ask, best_bid, top_quantity, walk
from tests.reference.plain_order_book import PlainOrderBook

EVERY_VECTOR = json.loads(
    (Path(__file__).parents[1] / "data" / "margin_vectors.json").read_text("utf-8")
)
VECTORS = [vector for vector in EVERY_VECTOR if vector["kind"].startswith("lob.")]
HIGHEST, N_OWNERS = 300, 8


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_published_cases_and_streams(vector):
    """Each order has its own owner, so nobody meets himself and owners name the orders."""
    messages, expected = vector["inputs"]["messages"], vector["expected"]
    names = [message[1] for message in messages]
    prices = [message[4] for message in messages if message[0] == "L"]
    book = OrderBook(2 * max(prices), n_owners=max(names) + 1)
    trades = replay(messages, book)

    bids, asks = (
        [[o, price, lots] for o, price, lots in side] for side in (book.bids(), book.asks())
    )
    if vector["kind"] == "lob.case_price_qty":
        assert [[price, lots] for _, _, price, lots in trades] == expected["trades"]
        assert (sorted(bids), sorted(asks)) == (expected["bids"], expected["asks"])
    else:
        assert [list(trade) for trade in trades] == expected["trades"]
        assert (bids, asks) == (expected["bids"], expected["asks"])


def replay(messages, book):
    handles, sides, prices, trades = {}, {}, {}, []
    for operation, name, *rest in messages:
        if operation == "C":
            book.cancel(handles.get(name, -1))
        elif operation == "A":
            lots, price = rest
            resting = abs(book.resting_lots(handles[name]))
            if price in (None, prices[name]) and lots <= resting:
                book.reduce(handles[name], resting - lots)
                continue
            book.cancel(handles[name])
            prices[name] = prices[name] if price is None else price
            handles[name], done = book.submit(name, sides[name] * lots, prices[name])
            trades += done
        else:
            sides[name] = rest[0]
            prices[name] = rest[2] if operation == "L" else 0
            kind = LIMIT if operation == "L" else MARKET
            handles[name], done = book.submit(name, rest[0] * rest[1], prices[name], kind)
            trades += done
    return trades


@pytest.mark.parametrize("seed", range(12))
def test_random_streams_give_the_plain_books_trades_and_queues(seed):
    chance = random.Random(seed)
    fast, plain = OrderBook(HIGHEST, N_OWNERS, capacity=400), PlainOrderBook()
    handles, owner_of = {}, {}
    self_trades = refusals = 0

    for name in range(700):
        owner = chance.randrange(-1, N_OWNERS)
        side, lots = chance.choice((1, -1)), 1 + int(chance.expovariate(0.1))
        price = min(max(int(chance.gauss(150 - 4 * side, 12)), 1), HIGHEST)
        action = chance.choices(("submit", "cancel", "reduce", "all"), (70, 18, 8, 4))[0]
        if action == "submit":
            kind = chance.choices((LIMIT, MARKET, IOC, POST_ONLY), (60, 12, 12, 16))[0]
            before = len(plain.trades)
            limit = None if kind == MARKET else price
            rests = kind in (LIMIT, POST_ONLY)
            n_own = sum(order.owner == owner for order in plain.resting)
            filled = plain.submit(name, owner, side, lots, limit, rests, kind == POST_ONLY)
            self_trades += owner >= 0 and sum(o.owner == owner for o in plain.resting) < n_own
            handles[name], trades = fast.submit(owner, side * lots, price, kind)
            owner_of[name] = owner
            refusals += kind == POST_ONLY and handles[name] == -1
            expected = [(owner_of[m], owner, p, n) for m, _, p, n in plain.trades[before:]]
            assert trades == expected
            assert sum(trade[3] for trade in trades) == filled
        elif action == "all" and owner >= 0:
            side = chance.choice((-1, 0, 1))
            count = len(plain.resting)
            plain.cancel_all(owner, side)
            assert fast.cancel_all(owner, side) == count - len(plain.resting)
        elif handles:
            chosen = chance.choice(sorted(handles))
            if action == "cancel":
                plain.cancel(chosen)
                fast.cancel(handles[chosen])
            else:
                plain.reduce(chosen, lots)
                fast.reduce(handles[chosen], lots)
        compare(fast, plain)

    assert len(plain.trades) > 150
    assert self_trades > 5
    assert refusals > 5


def compare(fast: OrderBook, plain: PlainOrderBook) -> None:
    bids, asks = plain.queue(1), plain.queue(-1)
    assert fast.bids() == [(o.owner, o.price, o.lots) for o in bids]
    assert fast.asks() == [(o.owner, o.price, o.lots) for o in asks]

    books = fast.books
    best = (bids[0].price if bids else -1), (asks[0].price if asks else -1)
    assert (best_bid(books, 0), best_ask(books, 0)) == best
    at_best = tuple(sum(o.lots for o in q if o.price == q[0].price) for q in (bids, asks))
    assert top_quantity(books, 0) == at_best
    low, high = 130, 170
    assert fast.depth(low, high) == (
        sum(o.lots for o in bids if o.price >= low),
        sum(o.lots for o in asks if o.price <= high),
    )
    for owner in range(N_OWNERS):
        assert books.resting_buy[0, owner] == sum(o.lots for o in bids if o.owner == owner)
        assert books.resting_sell[0, owner] == sum(o.lots for o in asks if o.owner == owner)
    for lots in (25, -25):
        assert walk(books, 0, lots, 10) == plain_walk(asks if lots > 0 else bids, lots, 10)


def plain_walk(queue, lots, unit_value):
    side, left, cash = (1 if lots > 0 else -1), abs(lots), 0
    for order in queue:
        amount = min(left, order.lots)
        cash += amount * order.price * unit_value
        left -= amount
    return lots - side * left, side * cash
