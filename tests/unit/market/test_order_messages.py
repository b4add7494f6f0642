"""Streams of order messages on the engine's book, against a book in plain lists."""

from __future__ import annotations

import random

import pytest

from stresslab.core.errors import StresslabError
from stresslab.market.limit_order_book.messages import replay
from tests.reference.plain_order_book import PlainOrderBook


def plain_replay(messages):
    """Replay on plain lists; every order is an owner of its own."""
    book, orders = PlainOrderBook(), {}
    for kind, name, *rest in messages:
        resting = next((order for order in book.resting if order.name == name), None)
        if kind == "C":
            book.cancel(name)
        elif kind == "A" and resting is not None:
            quantity, price = rest
            quantity = resting.lots if quantity is None else quantity
            price = resting.price if price is None else price
            if price == resting.price and quantity <= resting.lots:
                book.reduce(name, resting.lots - quantity)
            else:
                book.cancel(name)
                book.submit(name, -1, resting.side, quantity, price)
        elif kind in "LMIP":
            orders[name] = side, quantity = rest[0], rest[1]
            price = None if kind == "M" else rest[2]
            book.submit(name, -1, side, quantity, price, kind in "LP", kind == "P")
    sides = (
        [(order.name, order.price, order.lots) for order in book.queue(side)] for side in (1, -1)
    )
    return book.trades, *sides


def random_messages(seed, scale=1, lowest=90):
    chance = random.Random(seed)
    messages = []
    for name in range(250):
        side = chance.choice((1, -1))
        price = (lowest + int(chance.gauss(10 - 2 * side, 4))) * scale
        quantity = chance.randint(1, 30)
        earlier = chance.randrange(name + 1)
        messages.append(
            chance.choices(
                (
                    ["L", name, side, quantity, price],
                    ["M", name, side, quantity],
                    ["I", name, side, quantity, price],
                    ["P", name, side, quantity, price],
                    ["C", earlier],
                    ["A", earlier, quantity, chance.choice((None, price))],
                    ["A", earlier, None, price],
                    ["A", earlier, 0, None],
                ),
                (45, 6, 5, 6, 12, 18, 6, 2),
            )[0]
        )
    return messages


@pytest.mark.parametrize("seed", range(8))
def test_random_streams_give_the_plain_book(seed):
    messages = random_messages(seed)
    found = replay(messages)

    assert len(found.trades) > 40 and found.bids and found.asks
    assert tuple(found) == plain_replay(messages)


@pytest.mark.parametrize(("scale", "lowest"), [(0.25, 90), (1_000_000, 90), (1, -10)])
def test_prices_may_be_broken_huge_or_negative(scale, lowest):
    messages = random_messages(3, scale, lowest)

    assert tuple(replay(messages)) == plain_replay(messages)


def test_quantities_may_be_broken_and_everything_a_text():
    messages = [["L", "a", "-1", "0.3", "10.5"], ["L", "b", 1, 0.1, 10.5], ["M", "c", 1, 0.05]]

    assert replay(messages).trades == [("a", "b", 10.5, 0.1), ("a", "c", 10.5, 0.05)]
    assert replay(messages).asks == [("a", 10.5, 0.15)]


TWO_BIDS = [["L", 1, 1, 5, 100], ["L", 2, 1, 5, 100]]


@pytest.mark.parametrize(
    ("messages", "trades", "bids", "asks"),
    [
        ([], 0, [], []),
        ([["M", 1, 1, 5]], 0, [], []),
        ([["C", 7], ["A", 7, 3, None], ["A", 7, 3]], 0, [], []),
        ([["I", 1, 1, 5, 100]], 0, [], []),
        ([["L", 1, -1, 5, 100], ["P", 2, 1, 5, 100]], 0, [], [(1, 100, 5)]),
        ([["L", 1, -1, 5, 100], ["I", 2, 1, 9, 100]], 1, [], []),
        ([["L", 1, 1, 0, 100]], 0, [], []),
        ([["L", 1, 1, 5, 100], ["C", 1], ["C", 1]], 0, [], []),
        ([*TWO_BIDS, ["A", 1, 9, None]], 0, [(2, 100, 5), (1, 100, 9)], []),
        ([*TWO_BIDS, ["A", 1, 5, 100]], 0, [(1, 100, 5), (2, 100, 5)], []),
        ([*TWO_BIDS, ["A", 1, 4]], 0, [(1, 100, 4), (2, 100, 5)], []),
        ([["L", 1, 1, 5, 100], ["L", 2, -1, 5, 105], ["A", 1, 6, 105]], 1, [(1, 105, 1)], []),
        ([["L", 1, 1, 5, 100], ["M", 2, -1, 2], ["A", 1, 3, None]], 1, [(1, 100, 3)], []),
    ],
)  # fmt: skip
def test_single_rules(messages, trades, bids, asks):
    found = replay(messages)

    assert (len(found.trades), found.bids, found.asks) == (trades, bids, asks)


@pytest.mark.parametrize(
    ("message", "said"),
    [(["X", 1], "'X' is none of L, M, I, P, C, A"), (["L", 1, 0, 5, 100], "0 is neither 1 nor -1")],
)
def test_unknown_messages_and_sides_are_named(message, said):
    with pytest.raises(StresslabError, match=said):
        replay([message])
