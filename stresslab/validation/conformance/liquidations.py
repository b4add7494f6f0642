"""Examples of how much is closed, what it costs, and who pays for what is missing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stresslab.core.rational import exact
from stresslab.liquidation import liquidation_fee as fees
from stresslab.liquidation import partial_sizes as sizes
from stresslab.liquidation.adl.queue_fill import queue_fill
from stresslab.liquidation.socialised_loss import deposit_haircut
from stresslab.validation.conformance.inputs import Inputs


def block_limit(given: Inputs) -> dict[str, Any]:
    """Least and most notional of a position that one block may liquidate."""
    least, most = sizes.notional_limits(
        given.number("size", "qty"),
        given.number("price"),
        given.number("min_notional", default=0),
        given.number("max_portion", default=1),
    )
    return {"min_notional": float(least), "max_notional": float(most)}


def cover_shortage(given: Inputs) -> dict[str, Any]:
    """Base coins to close."""
    base = sizes.base_to_cover(
        given.number("shortage"),
        given.number("margin_ratio"),
        given.number("liq_fee", default=0),
        given.number("if_fee", default=0),
        given.number("price"),
        given.number("quote_price", default=1),
    )
    return {"base": float(base)}


def transfer_liability(given: Inputs) -> dict[str, Any]:
    """Units of a debt to move."""
    amount = sizes.liability_to_cover(
        given.number("shortage"),
        given.number("asset_weight"),
        given.number("asset_mult", default=1),
        given.number("liability_weight"),
        given.number("liability_mult", default=1),
        given.number("price"),
        given.number("if_fee", default=0),
    )
    return {"amount": float(amount)}


def fund_fee(given: Inputs) -> dict[str, Any]:
    """The insurance fund's fee that freed margin can bear."""
    fee = fees.affordable_fund_fee(
        given.number("shortage"),
        given.number("base"),
        given.number("price"),
        given.number("margin_ratio"),
        given.number("liquidator_fee", "liq_fee", default=0),
        given.number("max_if_fee", "max_fee"),
        given.number("quote_price", default=1),
    )
    return {"if_fee": float(fee)}


def fee_ramp(given: Inputs) -> dict[str, Any]:
    """The liquidator's fee after a while; 1,500 slots of grace and a millionth a slot."""
    fee = fees.ramped_fee(
        given.number("base_fee"),
        given.number("max_fee"),
        given.number("slots_elapsed"),
        given.number("grace_slots", default=1500),
        given.number("per_slot", default=Fraction(1, 1_000_000)),
    )
    return {"fee": float(fee)}


def queue(given: Inputs) -> dict[str, Any]:
    """Who gives up how much, in order of rank, at the bankruptcy price if that is given."""
    accounts = [(str(row[0]), exact(row[1]), exact(row[2])) for row in given.get("accounts")]
    fills = queue_fill(given.number("liquidated_size", "size"), accounts)
    found: dict[str, Any] = {"fills": {name: _plain(size) for name, size in fills.items()}}
    if "bankruptcy_price" in given:
        found["price"] = _plain(given.number("bankruptcy_price"))
    return found


def haircut(given: Inputs) -> dict[str, Any]:
    """The part of every deposit that is lost."""
    return {"fraction": float(deposit_haircut(given.number("loss"), given.number("deposits")))}


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


KINDS = {
    "liq_block_limit": block_limit,
    "partial_liq.cover_shortage": cover_shortage,
    "partial_liq.liability_transfer": transfer_liability,
    "liq_fee.if_fee_affordable": fund_fee,
    "liq_fee.ramp": fee_ramp,
    "adl.queue_fill": queue,
    "socialised.deposit_haircut": haircut,
}
