"""Markets of orders that know nothing, side by side: how wide is the spread?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from stresslab.validation.simulated import event_log

PRICE = 20_000  # ticks of 1 USD; a lot is one coin
BRACKETS = [{"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]
SETTLED = 3  # mean lives of an order after which empty books have filled


class Flow(NamedTuple):
    """Rates of zero intelligence, in market orders of a side as the unit of time."""

    withdrawal: float  # of each order: delta / mu
    limit: float  # to each tick of a side: alpha / mu

    @property
    def reach(self) -> int:
        """Ticks to which limits reach: ten spreads or so, since orders further off are idle."""
        return math.ceil(5.0 * (1.0 + 2.0 * self.withdrawal) / self.limit)


def scenario(
    flow: Flow, markets: int, lifetimes: float, market_rate: float = 1.0
) -> dict[str, Any]:
    """Return markets of one flow; a step is the mean life of an order over their number.

    Every trader has a turn every step, in a market drawn from all: so the orders of a market are
    withdrawn one by one, each after a geometric number of steps, and a trader is an owner in all.

    Parameters
    ----------
    lifetimes : length of the run, in mean lives of an order
    market_rate : market orders of a side in the unit of time, 1 by definition
    """
    names = [f"M{place}" for place in range(markets)]
    limits = 2.0 * flow.limit * (2 * flow.reach + 1)
    return {
        "step_seconds": 1.0,
        "duration_seconds": float(round(lifetimes * markets)),
        "assets": {name: {"kind": "perpetual", "initial_price_usd": float(PRICE),
                          "tick_size_usd": 1.0, "lot_size": 1.0} for name in names},
        "market": {
            "book": {"kind": "limit_order_book", "highest_price": 2.0},
            "mark": {"rule": "mid"},
            "fees": {"maker_rate": 0.0, "taker_rate": 0.0},
        },
        "margin": {"brackets": dict.fromkeys(names, BRACKETS)},
        "traders": {
            "crowd": {
                "strategy": {"kind": "zero_intelligence", "reach": flow.reach,
                             "market_share": 2.0 * market_rate / (limits + 2.0 * market_rate)},
                "count": round((limits + 2.0 * market_rate) / flow.withdrawal),
                "wealth": {"kind": "equal", "amount_usd": 1e9},
                "seconds_between_turns": 0.0,
            },
        },
    }  # fmt: skip


def spread(markets_of: dict[str, Any], seed: int) -> tuple[float, float]:
    """Return the mean spread in ticks over time and markets, and its standard error."""
    path = event_log(markets_of, seed)["path"]
    n_markets = len(markets_of["assets"])
    bid, ask = path["best_bid_ticks"], path["best_ask_ticks"]
    is_used = (bid > 0) & (ask > 0) & (path["step"] > SETTLED * n_markets)
    means = np.array(
        [np.mean((ask - bid)[is_used & (path["asset"] == asset)]) for asset in range(n_markets)]
    )
    return float(means.mean()), float(means.std(ddof=1)) / math.sqrt(means.size)
