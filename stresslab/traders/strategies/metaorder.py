"""Metaorder: works off a large order in equal parts, or by a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market
    from stresslab.core.random import Draws


class Metaorder(Trader):
    """Buys or sells the same lots of each of its assets every turn, whatever the market does.

    With a turn every step it is the schedule of a time-weighted average price; with turns at
    exponential times it is a Poisson stream of equal shocks. With a schedule it orders what is
    written for the step, as optimal execution asks. Spot is sold as far as it is held.
    """

    @declared
    class Parameters:
        lots: int = param(
            "Lots ordered in a turn, signed: negative sells", unit="lots", default=-1,
            ge=-(10**9), le=10**9,
        )  # fmt: skip
        schedule: tuple[int, ...] = param(
            "Lots ordered in step 1, 2, and so on, signed, nothing after the last; where given, in "
            "place of lots",
            unit="lots",
            default=(),
            ge=-(10**9),
            le=10**9,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        sizes = [(asset, self._lots(asset, market)) for asset in self.assets]
        return [Order(asset, MARKET, lots) for asset, lots in sizes if lots != 0]

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets

    def _lots(self, asset: int, market: Market) -> int:
        wanted = self._wanted(int(market.step[0]))
        return max(wanted, -int(self.positions[asset])) if market.is_spot[asset] else wanted

    def _wanted(self, step: int) -> int:
        schedule = self.parameters.schedule
        if not schedule:
            return int(self.parameters.lots)
        return int(schedule[step - 1]) if step <= len(schedule) else 0
