"""The book price with one side empty: it only moves towards the side that is left."""

from __future__ import annotations

import pytest

from stresslab.margin.clearing import twice_book_price
from tests.markets import ORDER_BOOK, TICKS, Ask, market, people, scripted


def books_of(*asks: Ask):
    """Return the books after some orders in one step."""
    scenario = market({"one": people((1e6, {})), "two": people((1e6, {}))}, market__book=ORDER_BOOK)
    model = scripted(scenario, {1: list(asks)})
    model.step()
    return model.world.floor.books


@pytest.mark.parametrize(
    ("before", "after"), [(19_000, 19_800), (19_800, 19_800), (21_000, 21_000)]
)
def test_bids_alone_only_lift_it(before, after):
    assert twice_book_price(books_of(Ask(0, 5, price=9_900)), 0, before) == after


@pytest.mark.parametrize(
    ("before", "after"), [(19_000, 19_000), (20_200, 20_200), (21_000, 20_200)]
)
def test_asks_alone_only_lower_it(before, after):
    assert twice_book_price(books_of(Ask(0, -5, price=10_100)), 0, before) == after


def test_both_sides_make_the_mid_and_neither_leaves_the_last():
    both = books_of(Ask(0, 5, price=9_901), Ask(1, -5, price=10_100))
    assert twice_book_price(both, 0, 1) == 20_001
    assert twice_book_price(books_of(), 0, 2 * TICKS + 1) == 2 * TICKS + 1


def test_the_lowest_tick_is_a_price():
    assert twice_book_price(books_of(Ask(0, 5, price=1)), 0, 1) == 2
    assert twice_book_price(books_of(Ask(0, -5, price=1)), 0, 9) == 2
    assert twice_book_price(books_of(Ask(0, 5, price=1), Ask(1, -5, price=2)), 0, 9) == 3
