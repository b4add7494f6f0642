"""Examples of liquidation and bankruptcy prices of one position or symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from stresslab.core.rational import Number, exact
from stresslab.margin import liquidation_price as prices
from stresslab.margin.bankruptcy import bankruptcy_price, bankruptcy_price_of_margin
from stresslab.margin.leverage_table import (
    TableRow,
    leverage_table,
    maintenance_amount,
    maintenance_of,
)
from stresslab.validation.conformance.inputs import Inputs, side_of

MAINTENANCE = ("mm", "maint", "requirement")  # how examples call the margin of other positions


def tiered_given(given: Inputs) -> dict[str, Any]:
    """The bracket is given: a rate and an amount, of one position or of each leg of a hedge."""
    legs = [
        prices.Leg(
            leg.side,
            leg.quantity,
            leg.number("entry"),
            leg.number("mmr"),
            leg.number("cum", default=0),
        )
        for leg in _given_legs(given)
    ]
    others = given.others("pnl", "profit"), given.others(*MAINTENANCE)
    return _price(prices.linear(given.number("wallet", "margin"), legs, *others))


def cross_tables(given: Inputs) -> dict[str, Any]:
    """A symbol in an account with leverage tables; a list of two legs is hedge mode."""
    target = given.get("target")
    tables = {name: table_of(rows) for name, rows in given.get("tiers").items()}
    held = {name: _legs(value) for name, value in given.get("positions").items()}
    profit = maintenance = Fraction(0)
    if given.get("mode", default="cross") != "isolated":
        for name, legs in held.items():
            if name != target:
                for leg in legs:
                    profit += _profit(leg)
                    notional = leg.quantity * leg.number("mark", "entry")
                    maintenance += maintenance_of(tables[name], notional)
    tabled = [
        prices.TabledLeg(leg.side, leg.quantity, leg.number("entry"), tables[target])
        for leg in held[target]
    ]
    mark = held[target][0].number("mark", "entry")
    return _price(
        prices.linear_in_tables(given.number("wallet"), tabled, profit, maintenance, mark)
    )


def entry_maintenance(given: Inputs) -> dict[str, Any]:
    """Maintenance margin is that of the entry value."""
    price = prices.entry_maintenance(
        given.side,
        given.quantity,
        given.number("entry"),
        given.number("leverage"),
        given.number("mmr"),
        given.number("cum", default=0),
        given.number("extra_margin", "extra", "added_margin", "added", default=0),
    )
    return _price(prices.displayed_price(price, given.side, given.number("tick", default=0)))


def fee_inside(given: Inputs) -> dict[str, Any]:
    """The closing fee counts as maintenance."""
    return _price(
        prices.fee_inside(
            given.side,
            given.quantity,
            given.number("entry"),
            given.number("margin", "wallet"),
            given.number("mmr"),
            given.number("taker_fee", "fee", default=0),
        )
    )


def from_margin_ratio(given: Inputs) -> dict[str, Any]:
    """Equity comes from the margin ratio that the venue shows."""
    return _price(
        prices.from_margin_ratio(
            given.side,
            given.quantity,
            given.number("mark"),
            given.number("mmr"),
            given.number("margin_ratio"),
            given.number("taker_fee", "fee", default=0),
        )
    )


def hyperliquid(given: Inputs) -> dict[str, Any]:
    """Maintenance is half of initial margin at the highest leverage."""
    return _price(
        prices.hyperliquid(
            given.side,
            given.quantity,
            given.number("price", "entry", "mark"),
            given.number("margin") - given.others(*MAINTENANCE),
            given.number("max_leverage"),
        )
    )


def dydx(given: Inputs) -> dict[str, Any]:
    """Signed size in an account whose other positions need margin too."""
    return _price(
        prices.dydx(
            given.number("equity"),
            given.number("size"),
            given.number("price"),
            given.number("mmf", "mmr"),
            given.others(*MAINTENANCE),
        )
    )


def kucoin(given: Inputs) -> dict[str, Any]:
    """Fields of a position as the venue reports them; each price that they determine."""
    cost, tick = abs(given.number("pos_cost")), given.number("tick", default=0)
    quantity, side = given.quantity, given.side
    found: dict[str, Any] = {}
    if "pos_margin" in given:
        margin = given.number("pos_margin") - given.number("pos_maint", default=0)
        price = prices.position_fields(side, quantity, cost, margin)
        found |= _price(prices.displayed_price(price, side, tick))
    if "pos_init" in given:
        margin = given.number("pos_init") + given.number("added", "pos_added", default=0)
        price = prices.position_fields(side, quantity, cost, margin)
        found["bankruptcy_price"] = float(prices.displayed_bankruptcy(price, side, tick))
    return found


def linear_bankruptcy(given: Inputs) -> dict[str, Any]:
    """From the leverage, or from the margin posted where that is given."""
    entry, tick = given.number("entry"), given.number("tick", default=0)
    if "leverage" in given:
        price = bankruptcy_price(given.side, entry, given.number("leverage"))
        added = given.number("extra_margin", "extra", "added_margin", "added", default=0)
        if added:
            price -= given.side * added / given.quantity
    else:
        margin = given.number("margin", "wallet")
        price = bankruptcy_price_of_margin(given.side, given.quantity, entry, margin)
    return {"bankruptcy_price": float(prices.displayed_bankruptcy(price, given.side, tick))}


def amount_recursion(given: Inputs) -> dict[str, Any]:
    """The maintenance amount of a bracket from the one before."""
    amount = maintenance_amount(
        given.number("floor"),
        given.number("mmr"),
        given.number("mmr_prev", default=0),
        given.number("cum_prev", default=0),
    )
    return {"cum": float(amount)}


def table_of(rows: Sequence[Sequence[Any]]) -> Sequence[TableRow]:
    """Return a leverage table from rows (floor, cap, rate[, amount]); amounts may be left out."""
    if all(len(row) > 3 for row in rows):
        return [TableRow(exact(row[0]), exact(row[2]), exact(row[3])) for row in rows]
    return leverage_table([(exact(row[0]), exact(row[2])) for row in rows])


def _legs(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[Inputs]:
    """Return the legs of a symbol: one, a list, or one under each of the names of the sides."""
    if not isinstance(value, Mapping):
        return [Inputs(leg) for leg in value]
    if all(isinstance(leg, Mapping) for leg in value.values()):
        return [Inputs({**leg, "side": side_of(side)}) for side, leg in value.items()]
    return [Inputs(value)]


def _given_legs(given: Inputs) -> list[Inputs]:
    """Return one position, or the legs listed, or the two that are named by their sides."""
    if "legs" in given:
        return _legs(given.get("legs"))
    named = {side: given.get(side) for side in ("long", "short") if side in given}
    return _legs(named) if named else [given]


def _profit(leg: Inputs) -> Fraction:
    return leg.side * leg.quantity * (leg.number("mark", "entry") - leg.number("entry"))


def _price(value: Number) -> dict[str, Any]:
    return {"liq_price": float(value)}


KINDS = {
    "liq_price.linear_tiered_given": tiered_given,
    "liq_price.linear_cross_tables": cross_tables,
    "liq_price.linear_isolated_entry_mm": entry_maintenance,
    "liq_price.linear_isolated_fee": fee_inside,
    "liq_price.linear_cross_margin_ratio": from_margin_ratio,
    "liq_price.hl_isolated": hyperliquid,
    "liq_price.dydx": dydx,
    "liq_price.kucoin_position": kucoin,
    "bankruptcy_price.linear_isolated": linear_bankruptcy,
    "maint_amount.recursion": amount_recursion,
}
