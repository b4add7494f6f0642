"""Limit order books with price-time priority, all assets in one tuple of columns."""

from stresslab.market.limit_order_book.columns import LimitOrderBooks, make_limit_order_books
from stresslab.market.limit_order_book.matching import is_quotable, submit
from stresslab.market.limit_order_book.order_book import OrderBook
from stresslab.market.limit_order_book.view import (
    best_ask,
    best_bid,
    depth,
    level_lots,
    levels_worth,
    top_quantity,
    walk,
)
from stresslab.market.limit_order_book.withdrawal import cancel, cancel_all, reduce, resting_lots

__all__ = [
    "LimitOrderBooks",
    "OrderBook",
    "best_ask",
    "best_bid",
    "cancel",
    "cancel_all",
    "depth",
    "is_quotable",
    "level_lots",
    "levels_worth",
    "make_limit_order_books",
    "reduce",
    "resting_lots",
    "submit",
    "top_quantity",
    "walk",
]
