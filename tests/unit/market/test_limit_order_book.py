"""What the limit order book promises at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.columns import IOC, LIMIT, MARKET, POST_ONLY, make_fills
from stresslab.core.errors import StresslabError
from stresslab.market.limit_order_book import (
    OrderBook,
    best_ask,
    best_bid,
    cancel,
    cancel_all,
    level_lots,
    make_limit_order_books,
    reduce,
    submit,
    walk,
)

ANN, BOB, CAY = range(3)


@pytest.fixture
def book() -> OrderBook:
    return OrderBook(highest_price=10_000, n_owners=3)


def test_cash_is_price_times_lots_times_unit_value_and_positive_when_bought():
    books, fills = make_limit_order_books([200], 3, 8), make_fills(8)
    submit(books, 0, ANN, LIMIT, -3, 120, 50, fills)
    filled = submit(books, 0, BOB, LIMIT, 5, 125, 50, fills)

    assert filled == 3
    assert fills.n[0] == 1
    row = [int(column[0]) for column in (fills.asset, fills.taker, fills.maker)]
    assert row == [0, BOB, ANN]
    assert (fills.lots[0], fills.cash[0]) == (3, 120 * 3 * 50)
    assert books.resting_buy.tolist() == [[0, 2, 0]]

    submit(books, 0, CAY, MARKET, -2, 0, 50, fills)
    assert (fills.lots[1], fills.cash[1]) == (-2, -125 * 2 * 50)


def test_the_remainder_of_market_and_ioc_orders_vanishes(book):
    book.submit(ANN, -2, 50)
    assert book.submit(BOB, 5, kind=MARKET) == (-1, [(ANN, BOB, 50, 2)])
    book.submit(ANN, -2, 50)
    book.submit(ANN, -2, 52)
    assert book.submit(BOB, 5, 51, kind=IOC) == (-1, [(ANN, BOB, 50, 2)])
    assert (book.bids(), book.asks()) == ([], [(ANN, 52, 2)])


def test_a_post_only_order_that_would_take_is_refused_and_rests_nothing(book):
    book.submit(ANN, -2, 50)
    assert book.submit(BOB, 5, 50, kind=POST_ONLY) == (-1, [])
    assert book.bids() == []
    handle, trades = book.submit(BOB, 5, 49, kind=POST_ONLY)
    assert (handle >= 0, trades) == (True, [])
    assert book.bids() == [(BOB, 49, 5)]


def test_a_trader_who_meets_his_own_order_withdraws_it_and_goes_on(book):
    book.submit(ANN, -2, 50)
    book.submit(BOB, -2, 50)
    assert book.submit(ANN, 3, 50)[1] == [(BOB, ANN, 50, 2)]
    assert book.asks() == []
    assert book.bids() == [(ANN, 50, 1)]


def test_external_orders_have_no_owner_to_meet(book):
    book.submit(-1, -2, 50)
    assert book.submit(-1, 2, 50)[1] == [(-1, -1, 50, 2)]
    assert book.books.resting_sell.sum() == 0


def test_a_lowered_order_keeps_its_place_and_a_stale_handle_does_nothing(book):
    first, _ = book.submit(ANN, 5, 40)
    book.submit(BOB, 5, 40)
    assert book.reduce(first, 2) == 2
    assert book.bids() == [(ANN, 40, 3), (BOB, 40, 5)]
    assert book.reduce(first, 9) == 3
    assert book.resting_lots(first) == 0

    second, _ = book.submit(CAY, -1, 90)
    assert second & 0xFFFFFFFF == first & 0xFFFFFFFF, "the place was used again"
    assert book.cancel(first) == 0
    assert book.reduce(first, 1) == 0
    assert book.cancel(-1) == 0
    assert book.asks() == [(CAY, 90, 1)]
    assert book.cancel(second) == -1


def test_best_prices_cross_wide_gaps(book):
    for price in (1, 63, 64, 4095, 4096, 8191, 9_999):
        book.submit(ANN, 1, price)
    found = []
    while book.bids():
        found.append(int(best_bid(book.books, 0)))
        book.submit(BOB, -1, kind=MARKET)
    assert found == [9_999, 8191, 4096, 4095, 64, 63, 1]

    for price in (9_999, 8192, 4096, 64, 63, 2):
        book.submit(ANN, -1, price)
    found = []
    while book.asks():
        found.append(int(best_ask(book.books, 0)))
        book.submit(BOB, 1, kind=MARKET)
    assert found == [2, 63, 64, 4096, 8192, 9_999]


def test_books_of_different_assets_do_not_touch():
    books, fills = make_limit_order_books([100, 70, 5000], 3, 2), make_fills(8)
    for asset in range(3):
        submit(books, asset, ANN, LIMIT, 1 + asset, 60 + asset, 1, fills)
        submit(books, asset, BOB, LIMIT, -1 - asset, 65 + asset, 1, fills)

    assert [best_bid(books, a) for a in range(3)] == [60, 61, 62]
    assert [best_ask(books, a) for a in range(3)] == [65, 66, 67]
    assert books.resting_buy[:, ANN].tolist() == [1, 2, 3]
    assert cancel_all(books, 1, ANN, 0) == 1
    assert [best_bid(books, a) for a in range(3)] == [60, -1, 62]
    assert level_lots(books, 2, 62) == 3
    assert level_lots(books, 2, 5000) == level_lots(books, 2, 0) == 0


@pytest.mark.parametrize("price", [0, -3, 200, 10**9])
@pytest.mark.parametrize("kind", [LIMIT, POST_ONLY])
def test_an_order_cannot_rest_outside_the_levels(price, kind):
    books, fills = make_limit_order_books([200], 3, 8), make_fills(8)
    with pytest.raises(ValueError, match="outside the levels"):
        submit(books, 0, ANN, kind, 1, price, 1, fills)
    assert submit(books, 0, ANN, IOC, 1, price, 1, fills) == 0


def test_a_full_book_and_full_fills_are_errors():
    books, fills = make_limit_order_books([200], 3, 2), make_fills(1)
    submit(books, 0, ANN, LIMIT, -1, 100, 1, fills)
    submit(books, 0, ANN, LIMIT, -1, 101, 1, fills)
    with pytest.raises(OverflowError, match="book is full"):
        submit(books, 0, ANN, LIMIT, -1, 102, 1, fills)
    with pytest.raises(OverflowError, match="fills of one stage"):
        submit(books, 0, BOB, MARKET, 2, 0, 1, fills)


def test_money_that_may_not_fit_is_an_error():
    books, fills = make_limit_order_books([1000], 3, 2), make_fills(1)
    with pytest.raises(OverflowError, match="may not fit 64 bits"):
        submit(books, 0, ANN, LIMIT, 2**40, 10, 10**6, fills)
    submit(books, 0, ANN, LIMIT, 2**40, 999, 1, fills)
    with pytest.raises(OverflowError, match="64 bits"):
        walk(books, 0, -(2**40), 10**6)


def test_an_order_of_no_lots_does_nothing(book):
    book.submit(ANN, -1, 50)
    assert book.submit(BOB, 0, 60) == (-1, [])
    assert book.asks() == [(ANN, 50, 1)]


def test_books_that_no_address_can_reach_are_refused():
    with pytest.raises(StresslabError, match="fewer levels"):
        make_limit_order_books([2**31, 2**31], 1, 1)


def test_handles_of_the_kernel_layer():
    books, fills = make_limit_order_books([100, 100], 3, 8), make_fills(8)
    submit(books, 1, ANN, LIMIT, 4, 30, 1, fills)
    handle = books.last_order[1]
    assert books.last_order.tolist() == [-1, handle]
    assert reduce(books, 1, handle, 1) == 1
    assert cancel(books, 1, handle) == 3
    assert np.count_nonzero(books.resting_buy) == 0
