"""Impact books: no resting orders, the price is a law of the flow so far.

``price = index · exp(f(flow / depth))``, where flow is the signed lots bought since the start,
forgotten at the rate of resilience. The flow is never rounded and the law is applied to the flow,
not order by order, so splitting an order changes nothing; only prices given out are whole ticks.
Every fill is against `external`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import MARKET, POST_ONLY, Fills
from stresslab.core.compiled import kernel
from stresslab.core.exact import HALF_EVEN, mul_div, to_ticks
from stresslab.core.portable import exp
from stresslab.market.impact.formula import displacement, formula_of
from stresslab.market.impact.integral import mean_factor
from stresslab.market.impact.law import FILL_PRICES, ImpactLaw

_INTEGRAL, _MIDPOINT, _ENDS = 0, 1, 2
_EXTERNAL = -1
_LN2 = 0.6931471805599453
_FURTHEST = 1 << 52


class ImpactBooks(NamedTuple):
    """The impact books of all assets; a kernel takes the tuple whole."""

    law: np.ndarray  # (1,) where the law's formula stands
    shape: np.ndarray  # (n,) the law's own numbers
    flow: np.ndarray  # (A,) float64, net lots bought and not yet forgotten
    index: np.ndarray  # (A,) ticks
    depth_lots: np.ndarray  # (A,) float64, flow that raises the price by 1 %
    resilience: np.ndarray  # (1,) share of the flow forgotten, per second, continuously
    fill_price: np.ndarray  # (1,) place in FILL_PRICES


def make_impact_books(
    law: ImpactLaw, fill_price: str, index: np.ndarray, lot_value_usd: Mapping[str, float]
) -> ImpactBooks:
    """Return books without flow.

    Parameters
    ----------
    fill_price : one of :data:`FILL_PRICES`
    index : index prices in ticks, shape ``(n_assets,)``
    lot_value_usd : for each asset, in order, what one lot is worth at the initial price
    """
    half_life = law.resilience_half_life_seconds
    depths = [law.depth_of(asset) / value for asset, value in lot_value_usd.items()]
    return ImpactBooks(
        law=formula_of(type(law).displacement),
        shape=np.array(law.shape(), np.float64),
        flow=np.zeros(len(depths), np.float64),
        index=np.array(index, np.int64),
        depth_lots=np.array(depths, np.float64),
        resilience=np.array([_LN2 / half_life if half_life else 0.0]),
        fill_price=np.array([FILL_PRICES.index(fill_price)], np.int64),
    )


@kernel
def submit_impact(
    books: ImpactBooks,
    asset: int,
    owner: int,
    kind: int,
    lots: int,
    price: int,
    unit_value: int,
    fills: Fills,
) -> int:
    """Send an order to the book and return the signed lots that it filled.

    MARKET fills whole. LIMIT and IOC fill the lots that leave the price at their limit or better,
    and the remainder vanishes. The fill goes to `fills` with `external` as maker, its cash rounded
    to whole micro-USD.

    Raises
    ------
    ValueError
        If the order is post-only, which means nothing where no order rests.
    """
    if kind == POST_ONLY:
        raise ValueError("an impact book has no resting orders and takes no post-only order")
    filled = lots if kind == MARKET else _lots_within(books, asset, lots, price)
    if filled == 0:
        return 0
    place = fills.n[0]
    if place == fills.lots.size:
        raise OverflowError("the fills of one stage exceed the room made for them")
    fills.asset[place] = asset
    fills.taker[place] = owner
    fills.maker[place] = _EXTERNAL
    fills.lots[place] = filled
    fills.cash[place] = cash_of(books, asset, filled, unit_value)
    fills.n[0] = place + 1
    books.flow[asset] += filled
    return filled


def execute_together(
    books: ImpactBooks, asset: int, lots: np.ndarray, unit_value: int
) -> np.ndarray:
    """Fill orders of one round together at one price; return the cash that each pays.

    ``lots`` are signed, shape ``(n_orders,)``; negative cash is received. The price is that of the
    net flow, so opposing orders meet without impact. Cash is rounded along the running sum of the
    lots: every order is within one micro-USD of its share and the sum is exactly that of the net.
    """
    cash = np.empty(lots.size, np.int64)
    execute_in_room(books, asset, lots, unit_value, cash)
    return cash


@kernel
def execute_in_room(books, asset, lots, unit_value, cash):
    """Do what :func:`execute_together` does; the cash goes to where there is room for it."""
    net = lots.sum()
    total = cash_of(books, asset, net, unit_value)
    price = price_now(books, asset)
    running, paid = 0, 0
    for place in range(lots.size):
        running += lots[place]
        due = 0
        if net > 0:
            due = mul_div(total, running, net, HALF_EVEN)
        elif net < 0:
            due = mul_div(total, -running, -net, HALF_EVEN)
        else:
            due = to_ticks(price * unit_value * running, 1.0)
        cash[place] = due - paid
        paid = due
    books.flow[asset] += net


@kernel
def walk_impact(books: ImpactBooks, asset: int, lots: int, unit_value: int) -> tuple[int, int]:
    """Return the lots that a market order would fill, all of them, and the cash it would pay."""
    return lots, cash_of(books, asset, lots, unit_value)


@kernel
def decay(books: ImpactBooks, seconds: float) -> None:
    """Let time pass: the resilience of the books forgets flow."""
    if books.resilience[0] > 0.0:
        kept = exp(-books.resilience[0] * seconds)
        for a in range(books.flow.size):
            books.flow[a] *= kept


@kernel
def price_ticks(books: ImpactBooks, asset: int) -> int:
    """Return the price in whole ticks, at least 1."""
    return to_ticks(price_now(books, asset), 1.0)


@kernel
def impact_depth(books: ImpactBooks, asset: int, lowest: int, highest: int) -> tuple[int, int]:
    """Return the lots that can be sold down to ``lowest`` and bought up to ``highest`` ticks.

    The answer is what resting bids and asks between these prices would be in an order book.
    """
    sellable = _lots_within(books, asset, -_FURTHEST, lowest)
    return -sellable, _lots_within(books, asset, _FURTHEST, highest)


@kernel
def lots_worth(books: ImpactBooks, asset: int, notional: float, side: int) -> float:
    """Return the lots, not whole, that a notional in ticks times lots buys (side 1) or sells (-1).

    0 where even a flow of 2**40 depths does not bring it in.
    """
    start = books.flow[asset]
    before = _worth_since_no_flow(books, asset, start)
    high, doubled = books.depth_lots[asset], 0
    while abs(_worth_since_no_flow(books, asset, start + side * high) - before) < notional:
        high *= 2.0
        doubled += 1
        if doubled > 40:
            return 0.0
    low = 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if abs(_worth_since_no_flow(books, asset, start + side * middle) - before) < notional:
            low = middle
        else:
            high = middle
    return high


@kernel
def _worth_since_no_flow(books: ImpactBooks, asset: int, flow: float) -> float:
    """Return what a flow pays in all, in ticks times lots, along its path."""
    index = float(books.index[asset])
    x = flow / books.depth_lots[asset]
    return mean_factor(books.law, books.shape, x, 1.0 / index) * index * flow


@kernel
def price_now(books: ImpactBooks, asset: int) -> float:
    """Return the price in ticks, not rounded, at least 1."""
    return _price_at(books, asset, books.flow[asset])


@kernel
def clearing_price(books: ImpactBooks, asset: int, lots: int) -> float:
    """Return what each lot of a net order would pay, in ticks, not rounded."""
    if lots == 0:
        return price_now(books, asset)
    flow = books.flow[asset]
    if books.fill_price[0] == _INTEGRAL:
        worth = _worth_since_no_flow(books, asset, flow + lots)
        return (worth - _worth_since_no_flow(books, asset, flow)) / lots
    if books.fill_price[0] == _MIDPOINT:
        return _price_at(books, asset, flow + 0.5 * lots)
    after = _price_at(books, asset, flow + lots)
    if books.fill_price[0] == _ENDS:
        return 0.5 * (_price_at(books, asset, flow) + after)
    return after


@kernel
def cash_of(books: ImpactBooks, asset: int, lots: int, unit_value: int) -> int:
    """Return the micro-USD that ``lots`` bought now would pay (negative: receive)."""
    flow = books.flow[asset]
    if books.fill_price[0] == _INTEGRAL:
        before = _paid_since_no_flow(books, asset, flow, unit_value)
        return _paid_since_no_flow(books, asset, flow + lots, unit_value) - before
    return to_ticks(clearing_price(books, asset, lots) * lots * unit_value, 1.0)


@kernel
def _paid_since_no_flow(books: ImpactBooks, asset: int, flow: float, unit_value: int) -> int:
    """Return what a flow pays in all at this index, rounded.

    A fill pays the difference of two such sums, so splitting it does not change the cash either.
    """
    return to_ticks(_worth_since_no_flow(books, asset, flow) * unit_value, 1.0)


@kernel
def _price_at(books: ImpactBooks, asset: int, flow: float) -> float:
    moved = displacement(books.law, flow / books.depth_lots[asset], books.shape)
    return max(books.index[asset] * exp(moved), 1.0)


@kernel
def _lots_within(books: ImpactBooks, asset: int, lots: int, limit: int) -> int:
    """Return the most of signed ``lots`` that leaves the price at ``limit`` or better."""
    side = 1 if lots > 0 else -1
    possible, impossible = 0, abs(lots) + 1
    step = 1
    while impossible - possible > 1:
        trial = min(possible + step, (possible + impossible) // 2)
        price = _price_at(books, asset, books.flow[asset] + trial * side)
        if (limit - price) * side >= 0.0:
            possible = trial
            step = min(2 * step, impossible)  # further would pass int64
        else:
            impossible = trial
    return possible * side
