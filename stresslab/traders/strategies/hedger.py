"""Hedger: two legs that offset each other, the trader for whom cross margin is made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.state import NO_LEG
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class Hedger(Trader):
    """Keeps two legs balanced: long spot and short perpetual, or two perpetuals long and short.

    Against spot it trades the perpetual until the legs match. Of a pair of perpetuals it cuts the
    larger leg: what liquidation took from one leg leaves the other naked.
    """

    @declared
    class Parameters:
        tolerance: float = param(
            "Imbalance that the hedger leaves alone",
            unit="of the larger leg",
            default=0.05,
            gt=0,
            le=1,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        first = int(self.columns.first_leg[self.row])
        second = int(self.columns.second_leg[self.row])
        if first == NO_LEG:
            return []
        exposure = {
            leg: int(self.positions[leg]) * self.value_of_lot(leg) for leg in (first, second)
        }
        gap = exposure[first] + exposure[second]
        larger = max(abs(exposure[first]), abs(exposure[second]))
        if abs(gap) <= self.parameters.tolerance * larger:
            return []
        if market.is_spot[first]:
            lots = math.floor(abs(gap) / self.value_of_lot(second))
            return [Order(second, MARKET, -lots if gap > 0 else lots)] if lots else []
        leg = first if abs(exposure[first]) > abs(exposure[second]) else second
        held = int(self.positions[leg])
        lots = min(abs(held), math.floor(abs(gap) / self.value_of_lot(leg)))
        return [Order(leg, MARKET, -lots if held > 0 else lots, reduce_only=1)] if lots else []

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return 1

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.hedger import decide_hedger

        first, second = group.columns.first_leg, group.columns.second_leg
        decide_hedger(group.rows, group.values, group.sight, first, second, orders)
