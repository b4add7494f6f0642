"""Examples of a cross account that is liquidated: bankruptcy quote, limit price, fund delta."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stresslab.core.errors import StresslabError
from stresslab.liquidation.fillable_price import fillable_price
from stresslab.liquidation.insurance_fund import fund_delta
from stresslab.margin.bankruptcy import bankruptcy_quote
from stresslab.margin.cross_account import CrossAccount, CrossPosition
from stresslab.validation.conformance.inputs import Inputs

QUOTE_STEP = Fraction(1, 1_000_000)


def quote_at_bankruptcy(given: Inputs) -> dict[str, Any]:
    """What closing a part must bring in; the whole position unless said otherwise."""
    account, target = account_of(given)
    delta = given.number("delta", default=-account.positions[target].size)
    step = given.number("quote_tick", default=QUOTE_STEP)
    return {"quote_delta": float(bankruptcy_quote(account, target, delta, step))}


def limit_price(given: Inputs) -> dict[str, Any]:
    """The limit price of the liquidation order."""
    price = fillable_price(
        *account_of(given),
        given.number("bankruptcy_adjustment", default=1),
        given.number("spread_to_mm", default=Fraction(3, 2)),
    )
    return {"fillable_price": float(price)}


def fund(given: Inputs) -> dict[str, Any]:
    """What a fill pays into the insurance fund or takes out of it."""
    account, target = account_of(given)
    delta = fund_delta(
        account,
        target,
        given.number("fill_size", default=account.positions[target].size),
        given.number("fill_price"),
        given.number("max_fee", default=Fraction(15, 1000)),
        given.number("quote_tick", default=QUOTE_STEP),
    )
    return {"fund_delta": float(delta)}


def account_of(given: Inputs) -> tuple[CrossAccount, int]:
    """Return the account and the place of the position in question, the first unless given."""
    rows = [Inputs(position) for position in given.get("positions")]
    target = int(given.number("target", default=0))
    if not 0 <= target < len(rows):
        raise StresslabError(f"target: {target} is not the place of one of {len(rows)} positions")
    positions = [
        CrossPosition(row.number("size"), row.number("price"), row.number("mmf", "mmr"))
        for row in rows
    ]
    return CrossAccount(given.number("quote_balance", default=0), positions), target


KINDS = {
    "bankruptcy_quote.cross_pro_rata": quote_at_bankruptcy,
    "fillable_price": limit_price,
    "insurance_fund.delta": fund,
}
