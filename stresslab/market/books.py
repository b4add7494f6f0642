"""The kinds of book and what a config says about them."""

from __future__ import annotations

import math
from typing import ClassVar

from stresslab.core.declarations import declared, param
from stresslab.market.impact import LAWS, ImpactLaw
from stresslab.market.impact.law import FILL_PRICES


@declared
class LimitOrderBookRules:
    """Price-time priority; depth is made by the traders' resting orders."""

    order_kinds: ClassVar[tuple[str, ...]] = ("limit", "market", "ioc", "post_only")
    #: Of the initial price; a dense book keeps every level, so finer ticks cost memory.
    most_ticks: ClassVar[int] = 1 << 22

    highest_price: float = param(
        "Highest price at which an order may rest",
        unit="initial prices",
        default=4.0,
        ge=1.1,
        le=100,
    )
    capacity: int = param(
        "Orders that may rest in the book of one asset", default=100_000, ge=1, le=10_000_000
    )

    def n_levels(self, initial_ticks: int) -> int:
        """Return one more than the highest price in ticks."""
        return math.ceil(self.highest_price * initial_ticks) + 1


@declared
class ImpactBookRules:
    """No resting orders; the price is a law of the signed flow so far."""

    order_kinds: ClassVar[tuple[str, ...]] = ("limit", "market", "ioc")
    #: Of the initial price; beyond, one lot is worth too much of what int64 holds.
    most_ticks: ClassVar[int] = 1 << 40

    law: ImpactLaw = param("How flow moves the price", kinds=LAWS)
    fill_price: str = param(
        "What a fill pays: the average along the path, the price half way down it, the mean of the "
        "prices at both ends, or the price that it leaves, as in a call auction",
        default="integral",
        choices=FILL_PRICES,
    )
    clearing: str = param(
        "How the orders of a step fill: one after another, or all market orders of an asset "
        "together at the price of their net",
        default="in_turn",
        choices=("in_turn", "together"),
        source="Cifuentes, Ferrucci and Shin (2005): sales of all banks clear at once",
    )


BookRules = LimitOrderBookRules | ImpactBookRules

BOOKS: dict[str, type] = {
    "limit_order_book": LimitOrderBookRules,
    "impact": ImpactBookRules,
}
