"""Passive: holds what it has and never trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stresslab.core.declarations import declared
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class Passive(Trader):
    """Holds its positions until they are liquidated: the trader of hand-computed cascades."""

    is_idle = True

    @declared
    class Parameters:
        """Passive: holds what it has and never trades; there is nothing to set."""

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        return []

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return 0

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Do nothing for all of them at once."""
