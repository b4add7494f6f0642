"""Examples of collateral: weights by size and by deposits, borrowing power, health."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from stresslab.core.rational import exact
from stresslab.margin import collateral_weights as weights
from stresslab.margin.weighted_health import PerpetualHolding, TokenHolding, weighted_health
from stresslab.validation.conformance.inputs import Inputs


def borrowable(given: Inputs) -> dict[str, Any]:
    """What may be borrowed against an amount."""
    value = weights.borrowable(given.number("amount"), given.number("price"), given.number("ltv"))
    return {"borrowable": float(value)}


def asset_discount(given: Inputs) -> dict[str, Any]:
    """The weight of an asset falls with its size."""
    return {"weight": weights.asset_weight(*_sized(given))}


def liability_premium(given: Inputs) -> dict[str, Any]:
    """The weight of a debt grows with its size."""
    return {"weight": weights.liability_weight(*_sized(given))}


def deposit_scaled(given: Inputs) -> dict[str, Any]:
    """The weight of an asset falls with what all have deposited."""
    weight = weights.deposit_scaled_weight(
        given.number("weight"),
        given.number("scale_start", default=0),
        given.number("deposits", default=0),
        given.number("price", default=1),
    )
    return {"weight": float(weight)}


def health(given: Inputs) -> dict[str, Any]:
    """Weighted health of tokens and perpetuals; the first token settles them."""
    tokens = [TokenHolding(*(exact(value) for value in row)) for row in given.get("tokens")]
    perpetuals = given.get("perp", "perps", default=[])
    if isinstance(perpetuals, Mapping):
        perpetuals = [perpetuals]
    overall = given.number("perp_overall_weight", default=1)
    held = [_perpetual(Inputs(row), tokens[0], overall) for row in perpetuals]
    return {"health": float(weighted_health(tokens, held))}


def _perpetual(given: Inputs, settle: TokenHolding, overall: Fraction) -> PerpetualHolding:
    """Weights of the perpetual are those of the settle token unless given."""
    return PerpetualHolding(
        given.number("base", "size", default=0),
        given.number("price"),
        given.number("quote", default=0),
        given.number("asset_weight", default=settle.asset_weight),
        given.number("liability_weight", "liab_weight", default=settle.liability_weight),
        given.number("overall_weight", default=overall),
    )


def _sized(given: Inputs) -> tuple[float, float, float]:
    return (
        float(given.number("weight")),
        float(given.number("imf", default=0)),
        abs(float(given.number("size", default=0))),
    )


KINDS = {
    "collateral.borrowable": borrowable,
    "haircut.size_discount_asset": asset_discount,
    "haircut.size_premium_liability": liability_premium,
    "haircut.deposit_scaled": deposit_scaled,
    "cross_health.weighted": health,
}
