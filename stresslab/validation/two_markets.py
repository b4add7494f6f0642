"""Two markets joined by cross margin and nothing else: a branching process of two types.

Everybody holds longs in both markets and has one pool. People of type A hold 10 lots of A and 6 of
B, those of type B 5 of A and 10 of B, and the closure sells the larger leg, whole. A sale of 10
lots in A takes 10 ticks off its price, so that a field of density ``rho`` in the losses of type B,
``5 x fall of A + 10 x fall of B``, holds ``50 rho`` people of type B in its reach: without cross
margin there would be none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stresslab.results.frames import Tables
from stresslab.validation.simulated import event_log
from stresslab.validation.uniform_field import MAINTENANCE, PRICE_USD, SELLER, venue

SOLD = 10  # lots of the leg that is closed; each moves the price by a tick
LEGS = np.array([[10, 6], [5, 10]])  # lots by type, then market
#: Mean people of the column's type that one sale in the row's market liquidates, at density 1.
REACH = SOLD * LEGS.T
MATRIX = np.array([[0.5, 0.2], [0.3, 0.4]])
TARGET = 0.3  # maintenance / equity after a closure: the larger leg alone cannot reach it


class Cascades(NamedTuple):
    """What followed each sale of ``SOLD`` lots in one of the two markets."""

    sizes: np.ndarray  # (n, 2) sales by market, the first included
    children: np.ndarray  # (n, 2) sales that the first caused directly


def scenario(
    pairs: int, width: int, steps: int, first: int, factor: float, seed: int, is_joined: bool
) -> dict[str, Any]:
    """Return pairs of markets side by side, in which market ``first`` of each is sold every step.

    Parameters
    ----------
    width : sales of either kind down to the end of the field of either type
    factor : by which the branching matrix is larger than ``MATRIX``
    is_joined : whether people hold both legs; without the smaller one nothing joins the markets
    """
    names = [f"{market}{pair}" for pair in range(pairs) for market in "AB"]
    people = {f"{kind}{pair}": _people(kind, pair, width, factor, seed, is_joined)
              for pair in range(pairs) for kind in range(2)}  # fmt: skip
    market = venue(names, steps)
    market["margin"]["cross"] = {"closure": {"kind": "least_to_restore"}, "penalty_rate": 0.0}
    market["liquidation"]["liquidation_target"] = TARGET
    market["traders"] = {
        **{f"type_{name}": group for name, group in people.items()},
        "shorts": {"strategy": {"kind": "passive"}, "count": len(names),
                   "wealth": {"kind": "equal", "amount_usd": 1e10},
                   "leverage": {"median": 20.0}, "is_counterparty": True},
        "seller": {"strategy": {"kind": "metaorder", "lots": -SOLD}, "accounts": [SELLER],
                   "assets": names[first::2], "seconds_between_turns": 0.0},
    }  # fmt: skip
    return market


def _people(
    kind: int, pair: int, width: int, factor: float, seed: int, is_joined: bool
) -> dict[str, Any]:
    """Return people of one type whose pools are in breach at losses that are a Poisson field."""
    lots = LEGS[kind] if is_joined else np.diag(np.diag(LEGS))[kind]
    density = factor * MATRIX[kind, kind] / REACH[kind, kind]
    end = float(width * REACH[kind, kind])
    rng = np.random.Generator(np.random.Philox(key=[seed, 2 * pair + kind]))
    losses = rng.uniform(0.0, end, rng.poisson(density * end))
    needs = MAINTENANCE * PRICE_USD * lots.sum() + (1 - MAINTENANCE) * losses
    positions = {f"{market}{pair}": int(n) for market, n in zip("AB", lots, strict=True) if n}
    accounts = [{"wealth_usd": usd, "positions": positions} for usd in needs.tolist()]
    return {"strategy": {"kind": "passive"}, "accounts": accounts}


def cascades(
    pairs: int, width: int, steps: int, first: int, seed: int, *, reserve: int,
    factor: float = 1.0, is_joined: bool = True,
) -> Cascades:  # fmt: skip
    """Return the cascades that begin with room for ``reserve`` sales in both fields."""
    market = scenario(pairs, width, steps, first, factor, seed, is_joined)
    tables = event_log(market, seed)
    caused, children = _sales(tables, pairs, steps)
    sizes = caused.copy()
    sizes[:, :, first] += 1
    used = (sizes.cumsum(axis=1) - sizes) @ REACH  # losses of each type when a cascade begins
    room = width * np.diag(REACH) - reserve * REACH.max(axis=0)
    fresh = np.all(used <= room, axis=2)
    return Cascades(sizes[fresh], children[fresh])


def _sales(tables: Tables, pairs: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return forced sales by pair, step and market, and those of the first round among them."""
    orders = tables["forced_orders"]
    sold, children = np.zeros((2, pairs, steps, 2))
    pair, market = np.divmod(orders["asset"], 2)
    place = (pair, orders["step"] - 1, market)
    lots = np.abs(orders["filled_lots"]) / SOLD
    np.add.at(sold, place, lots)
    np.add.at(children, place, np.where(orders["round"] == 1, lots, 0.0))
    return sold, children


def mean_sizes(matrix: np.ndarray) -> np.ndarray:
    """Return the mean sales by first market, then market: ``(I - N)^-1``."""
    inverse: np.ndarray = np.linalg.inv(np.eye(len(matrix)) - matrix)
    return inverse


def variances_of_sizes(matrix: np.ndarray) -> np.ndarray:
    """Return the variances of the sales: each sale in k adds independent Poisson children N[k]."""
    means = mean_sizes(matrix)
    spread: np.ndarray = means @ (matrix @ means**2)
    return spread
