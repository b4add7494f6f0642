"""Compiled rule of :class:`stresslab.traders.strategies.value_fund.ValueFund`.

Demand is ``min(β (V - p) / V, λ) (A + B p) / p``, where ``A + B p`` is the fund's wealth at the
price p: linear in 1/p or, times p, quadratic in p, with an edge where the leverage limit binds. The
sum over funds is a quadratic between any two edges, so a clearing price is a root of one. There may
be several: funds that hold much cannot pay for it at a lower price, and it clears there as well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stresslab.core.columns import MARKET, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.traders.kernels.common import Sight, equity_of, send

if TYPE_CHECKING:
    from stresslab.traders.group import Group

_NO_ASSET = -1
_OPEN = -1


class Memory(NamedTuple):
    """What funds are and remember, by row; money in micro-USD."""

    asset: np.ndarray  # (N,) the asset that a fund trades, or -1
    aggression: np.ndarray  # (N,)
    outside: np.ndarray  # (N,) float64, of the account's equity, not the fund's
    wealth: np.ndarray  # (N,) float64, after the last turn
    performance: np.ndarray  # (N,) average return a turn
    returns_at: np.ndarray  # (N,) step in which a closed fund opens again, or -1
    first: np.ndarray  # (N,) wealth, in ticks times lots, that a price of zero would leave
    ordered: np.ndarray  # (N,) lots of the turn
    value: np.ndarray  # (A,) ticks
    planned: np.ndarray  # (1,) step of the last plan
    grouped: np.ndarray  # (N,) room: rows whose turn it is, those of one asset together
    ends: np.ndarray  # (A,) room: where the rows of each asset end
    unit_value: np.ndarray  # (A,)


def make_memory(group: Group) -> Memory:
    """Return the memory of a group before the first step."""
    market, trades = group.market, group.columns.trades
    n_traders, n_assets = group.accounts.id.size, market.mark.size
    asset = np.where(trades.any(axis=0), trades.argmax(axis=0), _NO_ASSET).astype(np.int64)
    aggression = np.zeros(n_traders)
    for a in range(n_assets):
        members = group.members[asset[group.members] == a]
        aggression[members] = np.resize(np.array(group.parameters.aggressions), members.size)
    capital = float(round(group.parameters.capital_usd * 1e6))
    return Memory(
        asset=asset,
        aggression=aggression,
        outside=group.columns.wealth - capital,
        wealth=np.full(n_traders, capital),
        performance=np.full(n_traders, float(group.parameters.benchmark)),
        returns_at=np.full(n_traders, _OPEN, np.int64),
        first=np.zeros(n_traders),
        ordered=np.zeros(n_traders, np.int64),
        value=market.index.astype(np.float64),
        planned=np.full(1, -1, np.int64),
        grouped=np.zeros(n_traders, np.int64),
        ends=np.zeros(n_assets, np.int64),
        unit_value=market.unit_value.astype(np.int64),
    )


@kernel
def decide_value_funds(
    rows: np.ndarray, values: Any, sight: Sight, memory: Memory, step: int, orders: Orders
) -> None:
    """Append the orders of the funds in ``rows``."""
    plan_value_funds(rows, values, sight, memory, step)
    asset, ordered = memory.asset, memory.ordered
    for row in rows:
        if ordered[row] != 0:
            send(orders, row, asset[row], MARKET, ordered[row], 0, 0, VOLUNTARY)


@kernel
def plan_value_funds(
    rows: np.ndarray, values: Any, sight: Sight, memory: Memory, step: int
) -> None:
    """Settle with investors, clear every asset, and write down what each fund orders."""
    memory.planned[0] = step
    for row in rows:
        memory.ordered[row] = 0
        if memory.asset[row] != _NO_ASSET:
            _settle(row, values, sight, memory, step)
    _group_by_asset(rows, memory)
    first = 0
    for a in range(sight.mark.size):
        funds = memory.grouped[first : memory.ends[a]]
        first = memory.ends[a]
        if funds.size == 0:
            continue
        price = _clear(a, funds, values, sight, memory)
        for row in funds:
            wanted = _demand(price, row, a, values, sight, memory)
            memory.ordered[row] = np.int64(math.floor(wanted)) - sight.position[a, row]


@kernel
def _group_by_asset(rows, memory):
    """Write the rows into ``grouped``, one asset's together and in the order given."""
    ends = memory.ends
    ends[:] = 0
    for row in rows:
        if memory.asset[row] != _NO_ASSET:
            ends[memory.asset[row]] += 1
    before = 0
    for a in range(ends.size):
        ends[a], before = before, before + ends[a]
    for row in rows:
        a = memory.asset[row]
        if a != _NO_ASSET:
            memory.grouped[ends[a]] = row
            ends[a] += 1


@kernel
def _settle(row: int, values: Any, sight: Sight, memory: Memory, step: int) -> None:
    """Take in the return of the last turn, investors' money, and closing or opening."""
    equity = float(equity_of(sight.cash, sight.position, sight.lot_value, row))
    capital = values.capital_usd * 1e6
    if memory.returns_at[row] == step:
        memory.returns_at[row] = _OPEN
        memory.performance[row] = values.benchmark
        memory.outside[row] = equity - capital
    elif memory.returns_at[row] == _OPEN:
        wealth = equity - memory.outside[row]
        gained = wealth / memory.wealth[row] - 1.0
        a = values.forgetting
        memory.performance[row] = (1.0 - a) * memory.performance[row] + a * gained
        beyond = memory.performance[row] - values.benchmark
        memory.outside[row] -= max(values.flow_sensitivity * beyond * wealth, -wealth)
    memory.wealth[row] = equity - memory.outside[row]
    if memory.returns_at[row] == _OPEN and memory.wealth[row] < values.closes_at * capital:
        memory.returns_at[row] = step + np.int64(values.turns_closed)
    a = memory.asset[row]
    held = float(sight.position[a, row]) * sight.mark[a]
    memory.first[row] = memory.wealth[row] / memory.unit_value[a] - held


@kernel
def _demand(price, row, a, values, sight, memory):
    """Return the lots that a fund holds at a price in ticks."""
    wealth = memory.first[row] + sight.position[a, row] * price
    if memory.returns_at[row] != _OPEN or wealth <= 0.0:
        return 0.0
    mispricing = max(0.0, 1.0 - price / memory.value[a])
    return min(memory.aggression[row] * mispricing, values.most_leverage) * wealth / price


@kernel
def _clear(a, funds, values, sight, memory):
    """Return the price in ticks at which supply is held, funds and others together."""
    index, value, supply = float(sight.index[a]), memory.value[a], values.supply
    quoted = float(sight.best_ask[a] if sight.best_ask[a] > 0 else sight.mark[a])
    others = supply * (1.0 - index / quoted)
    for row in funds:
        others -= sight.position[a, row]
    supply_left, spent = supply - others, supply * index
    without = spent / supply_left
    if without >= value:
        return without
    if values.clears_lowest:
        price = _lowest_price(a, spent, supply_left, funds, values, sight, memory)
    else:
        price = _highest_price(a, spent, supply_left, funds, values, sight, memory)
    return price if price > 0.0 else quoted


@kernel
def _highest_price(a, spent, supply_left, funds, values, sight, memory):
    """Go down from value, edge by edge; return the first root, or -1."""
    high = memory.value[a]
    while high > 0.0:
        low = 0.0
        for row in funds:
            edge = _limit_binds_at(a, row, values, memory)
            if low < edge < high:
                low = edge
        _, root = _roots_between(a, low, high, spent, supply_left, funds, values, sight, memory)
        if root > 0.0:
            return root
        high = low
    return -1.0


@kernel
def _lowest_price(a, spent, supply_left, funds, values, sight, memory):
    """Go up from zero, edge by edge and past each fund's bankruptcy; return the first root or -1.

    Demand does not jump, and exceeds supply at zero, so this price is a stable one as well.
    """
    low, value = 0.0, memory.value[a]
    while low < value:
        high = value
        for row in funds:
            edge = _limit_binds_at(a, row, values, memory)
            if low < edge < high:
                high = edge
            held = sight.position[a, row]
            if held > 0 and low < -memory.first[row] / held < high:
                high = -memory.first[row] / held
        root, _ = _roots_between(a, low, high, spent, supply_left, funds, values, sight, memory)
        if root > 0.0:
            return root
        low = high
    return -1.0


@kernel
def _limit_binds_at(a, row, values, memory):
    """Return the price below which a fund holds all that its leverage limit allows."""
    return memory.value[a] * (1.0 - values.most_leverage / memory.aggression[row])


@kernel
def _roots_between(a, low, high, spent, supply_left, funds, values, sight, memory):
    """Return both roots of ``square p^2 + line p + constant`` between two edges, -1 for none.

    The lower root comes first; where there is one, it is given twice.
    """
    square, line, constant = 0.0, -supply_left, spent
    middle, value = 0.5 * (low + high), memory.value[a]
    for row in funds:
        if memory.returns_at[row] != _OPEN:
            continue
        first, held = memory.first[row], float(sight.position[a, row])
        if first + held * middle <= 0.0:
            continue
        slope = memory.aggression[row] / value
        if slope * (value - middle) < values.most_leverage:
            square -= slope * held
            line += slope * (value * held - first)
            constant += slope * value * first
        else:
            line += values.most_leverage * held
            constant += values.most_leverage * first
    under = line * line - 4.0 * square * constant
    if under < 0.0:
        return -1.0, -1.0
    one, other = -1.0, -1.0
    bent = -0.5 * (line + math.copysign(math.sqrt(under), line))
    if bent != 0.0 and low <= constant / bent <= high:
        one = constant / bent
    if square != 0.0 and low <= bent / square <= high:
        other = bent / square
    if one < 0.0 or other < 0.0:
        return max(one, other), max(one, other)
    return min(one, other), max(one, other)
