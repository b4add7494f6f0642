"""Examples of initial margin: inverse, with closing fee, with open orders, by open interest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stresslab.core.rational import exact
from stresslab.margin import initial_margin as margins
from stresslab.validation.conformance.inputs import Inputs


def inverse(given: Inputs) -> dict[str, Any]:
    """Contracts of a fixed worth in USD, 1 USD unless given, with margin in coin."""
    margin = margins.inverse_initial_margin(
        given.quantity, given.number("entry"), given.number("leverage")
    )
    return {"im_coin": float(margin)}


def with_closing_fee(given: Inputs) -> dict[str, Any]:
    """Both margins carry the fee to close at bankruptcy."""
    if "position_value" in given:
        value = abs(given.number("position_value"))
    else:
        value = given.quantity * given.number("entry")
    initial, maintenance = margins.margins_with_closing_fee(
        given.side,
        value,
        given.number("leverage"),
        given.number("mmr"),
        given.number("taker_fee", "fee", default=0),
        given.number("cum", default=0),
    )
    return {"im": float(initial), "mm": float(maintenance)}


def with_open_orders(given: Inputs) -> dict[str, Any]:
    """A signed position and the orders on both sides, in all or one by one."""
    margin = margins.margin_with_orders(
        given.number("position", "size", default=0),
        _total(given.get("buy_orders", default=0)),
        _total(given.get("sell_orders", default=0)),
        given.number("imf"),
        given.number("mark", "price"),
        given.number("fee_provision", default=0),
        given.number("open_loss", default=0),
    )
    return {"imr": float(margin)}


def scaled_by_open_interest(given: Inputs) -> dict[str, Any]:
    """The rate grows between two caps of open interest."""
    margin = margins.scaled_initial_margin(
        given.number("notional"),
        given.number("base_imf", "imf"),
        given.number("oi", default=0),
        given.number("oi_lower", default=0),
        given.number("oi_upper", default=0),
        given.number("round_up_to", default=0),
    )
    return {"im": float(margin)}


def _total(orders: Any) -> Fraction:
    if isinstance(orders, list | tuple):
        return sum((abs(exact(order)) for order in orders), Fraction(0))
    return abs(exact(orders))


KINDS = {
    "initial_margin.inverse": inverse,
    "margin.linear_im_mm_closing_fee": with_closing_fee,
    "margin.imr_open_orders": with_open_orders,
    "initial_margin.oi_scaled": scaled_by_open_interest,
}
