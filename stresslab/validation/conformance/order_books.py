"""Examples of matching: streams of messages on the engine's order book."""

from __future__ import annotations

from typing import Any

from stresslab.market.limit_order_book.messages import replay
from stresslab.validation.conformance.inputs import Inputs


def in_order(given: Inputs) -> dict[str, Any]:
    """Trades with both names; books best first, oldest first."""
    result = replay(given.get("messages"))
    return {
        "trades": [list(trade) for trade in result.trades],
        "bids": [list(order) for order in result.bids],
        "asks": [list(order) for order in result.asks],
    }


def price_and_quantity(given: Inputs) -> dict[str, Any]:
    """Trades by price and quantity only; books in order of name."""
    result = replay(given.get("messages"))
    return {
        "trades": [[price, quantity] for _, _, price, quantity in result.trades],
        "bids": sorted(list(order) for order in result.bids),
        "asks": sorted(list(order) for order in result.asks),
    }


KINDS = {
    "lob.case": in_order,
    "lob.stream": in_order,
    "lob.case_price_qty": price_and_quantity,
}
