"""Examples of funding: premium, interest, caps, rates and payments."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from stresslab.core.rational import exact
from stresslab.market import funding_terms as terms
from stresslab.market.funding import funding_rate
from stresslab.market.funding_premium import premium_parts_per_million
from stresslab.market.rules import FundingRules
from stresslab.validation.conformance.inputs import Inputs

INTEREST, CLAMP, PERIOD_SECONDS = Fraction(1, 10_000), Fraction(5, 10_000), 28_800


def interest(given: Inputs) -> dict[str, Any]:
    """Interest of one interval."""
    rate = terms.interest_component(
        given.number("quote_rate", default=0),
        given.number("base_rate", default=0),
        given.number("intervals_per_day", default=3),
    )
    return {"rate": float(rate)}


def premium(given: Inputs) -> dict[str, Any]:
    """Premium of a book in parts per million."""
    largest = given.get("max_abs_ppm", default=math.inf)
    parts = premium_parts_per_million(
        _levels(given.get("bids", default=[])),
        _levels(given.get("asks", default=[])),
        given.number("index"),
        given.number("impact_notional", default=0),
        largest if largest == math.inf else exact(largest),
    )
    return {"premium_ppm": parts}


def rate(given: Inputs) -> dict[str, Any]:
    """A rate, and what it costs as far as spot, time and a position are given."""
    rules = FundingRules(
        interest_rate=float(given.number("interest", default=INTEREST)),
        clamp=float(given.number("clamp", default=CLAMP)),
        cap=float(given.number("cap")) if "cap" in given else math.inf,
    )
    found: dict[str, Any] = {"rate": funding_rate(float(given.number("premium")), rules)}
    quote_price = given.number("quote_price", "usdc_price", default=1)
    if "spot" in given:
        per_unit = terms.premium_per_unit(exact(found["rate"]), given.number("spot"), quote_price)
        found["premium_per_unit"] = per_unit
        if "window_s" in given:
            period = given.number("period_s", default=PERIOD_SECONDS)
            delta = terms.index_delta(per_unit, given.number("window_s"), period)
            found["index_delta"] = delta
            if "size" in given:
                found["pnl"] = terms.funding_payment(given.number("size"), delta, quote_price)
    return {name: float(value) for name, value in found.items()}


def cap(given: Inputs) -> dict[str, Any]:
    """The largest rate, from the gap between initial and maintenance margin."""
    value = terms.cap_from_margins(
        given.number("factor", default=6), given.number("imf"), given.number("mmf")
    )
    return {"cap": float(value)}


def spread(given: Inputs) -> dict[str, Any]:
    """The payment from averages of mark and oracle price."""
    payment = terms.spread_payment(
        given.number("mark_twap"),
        given.number("oracle_twap"),
        given.number("period_s", default=3600),
    )
    return {"payment_per_unit": float(payment)}


def _levels(rows: Any) -> list[tuple[Fraction, Fraction]]:
    return [(exact(price), exact(quantity)) for price, quantity, *_ in rows]


KINDS = {
    "funding.interest_component": interest,
    "funding.premium_impact": premium,
    "funding.rate_clamp": rate,
    "funding.cap_margin_gap": cap,
    "funding.twap_spread": spread,
}
