"""What holds forced orders back: halted markets, price bands, and a throttle on each market."""

from __future__ import annotations

import math

import numpy as np

from stresslab.core.steps import steps_of
from stresslab.liquidation.bands import PriceBand
from stresslab.liquidation.bands.band import Leg
from stresslab.liquidation.closing import by_urgency
from stresslab.liquidation.closures.kernels.common import maintenance_of_legs
from stresslab.liquidation.floor import Clearing
from stresslab.liquidation.forced import ForcedOrders, keep_orders
from stresslab.liquidation.rules import LiquidationRules
from stresslab.margin.pools import pool_states
from stresslab.margin.tiers import maintenance_margin

MICRO = 1_000_000


class Restraints:
    """Cuts a round's forced orders to what the venue's safety levers let through."""

    def __init__(self, rules: LiquidationRules, clearing: Clearing, step_seconds: float) -> None:
        self._band: PriceBand | None = rules.price_band
        self._per_step = rules.usd_per_step
        self._clearing = clearing
        self._left = np.zeros(clearing.accounts.position.shape[0], np.int64)
        self._pauses = [
            tuple(steps_of(at, step_seconds) for at in (p.at_seconds, p.at_seconds + p.for_seconds))
            for p in rules.pauses.values()
        ]

    def open_step(self) -> None:
        """Let every market take its notional of a step again."""
        if self._per_step is not None:
            self._left[:] = round(self._per_step * MICRO)

    def is_paused(self, step: int) -> bool:
        """Tell whether nothing is liquidated in a step."""
        return any(first <= step < last for first, last in self._pauses)

    def apply(self, marks: np.ndarray, is_halted: np.ndarray, orders: ForcedOrders) -> None:
        """Drop, limit and cut the orders of a round."""
        n = int(orders.n[0])
        if is_halted.any():
            keep_orders(orders, ~is_halted[orders.asset[:n]])
        if self._band is not None:
            self._limit(self._band, marks, orders)
        if self._per_step is not None:
            self._throttle(marks, orders)

    def note_fills(self, marks: np.ndarray, orders: ForcedOrders) -> None:
        """Take what was filled off what the markets may still take in this step."""
        n = int(orders.n[0])
        assets = orders.asset[:n]
        values = np.abs(orders.filled[:n]) * (marks * self._clearing.tables.unit_value)[assets]
        np.subtract.at(self._left, assets, values)

    def _limit(self, band: PriceBand, marks: np.ndarray, orders: ForcedOrders) -> None:
        """Give each order the worst price that the band allows, unless it has a better one."""
        c, n = self._clearing, int(orders.n[0])
        equity, need, _ = pool_states(c.accounts, c.tables, marks, orders.pool[:n])
        for row, (have, wanted) in enumerate(zip(equity.tolist(), need.tolist(), strict=True)):
            a = int(orders.asset[row])
            lots, unit = abs(int(c.accounts.position[a, orders.account[row]])), c.tables.unit_value
            notional = lots * int(marks[a]) * int(unit[a])
            own = int(maintenance_margin(c.tables, a, notional))
            pool, account = divmod(int(orders.pool[row]), c.accounts.id.size)
            legs = int(maintenance_of_legs(c.accounts, c.tables, marks, pool, account))
            leg = Leg(notional, own, have, wanted, legs)
            ticks = math.floor(band.concession(leg) / (lots * int(unit[a])))
            orders.limit[row] = _tighter(orders, row, int(marks[a]), ticks)

    def _throttle(self, marks: np.ndarray, orders: ForcedOrders) -> None:
        """Cut orders to what their markets have room for, most urgent pools first."""
        n = int(orders.n[0])
        turn = {int(code): place for place, code in enumerate(self._turns(marks, orders))}
        left = self._left.copy()
        lot_value = marks * self._clearing.tables.unit_value
        for row in sorted(range(n), key=lambda row: (turn[int(orders.pool[row])], row)):
            a, lots = orders.asset[row], orders.lots[row]
            allowed = min(abs(lots), max(left[a], 0) // lot_value[a])
            left[a] -= allowed * lot_value[a]
            orders.lots[row] = allowed if lots > 0 else -allowed
        keep_orders(orders, orders.lots[:n] != 0)

    def _turns(self, marks: np.ndarray, orders: ForcedOrders) -> np.ndarray:
        return by_urgency(self._clearing, marks, np.unique(orders.pool[: orders.n[0]]))


def _tighter(orders: ForcedOrders, row: int, mark: int, ticks: int) -> int:
    """Return the stricter of an order's own limit and the mark moved against the pool by ticks."""
    own = int(orders.limit[row])
    if orders.lots[row] > 0:
        return max(1, min(own, mark + ticks) if own else mark + ticks)
    return max(1, own, mark - ticks)
