"""Leverage targeting: a bank that repays debt and sells assets when its equity ratio is low."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class LeverageTargeting(Trader):
    """Holds spot against debt, and brings equity over assets back to a target when it is low.

    Debt is a perpetual held short: repaying is buying it back, with the cash in the wallet. Below
    its buffer the trader repays with cash, then orders sales of its spot, pro rata by value, for
    what is missing; a trader whose pool has been in breach sells all of it. What is illiquid is
    neither sold nor repaid but counts as assets and debt.

    References
    ----------
    Adrian and Shin (2010), Liquidity and leverage, Journal of Financial Intermediation 19; Cont and
    Schaanning (2017), Fire sales, indirect contagion and systemic stress testing: buffer and
    target; Greenwood, Landier and Thesmar (2015), Vulnerable banks, Journal of Financial Economics
    115, where every bank targets the ratio that it had.
    """

    @declared
    class Parameters:
        target: float | None = param(
            "Equity over assets to come back to; empty is the ratio before the first step",
            unit="of assets",
            default=0.05,
            gt=0,
            le=1,
        )
        buffer: float = param(
            "Equity over assets below which the trader acts",
            unit="of assets",
            default=0.04,
            gt=0,
            le=1,
        )
        illiquid: tuple[str, ...] = param(
            "Assets and debts that can be neither sold nor repaid", default=()
        )
        first_seconds: float = param(
            "Time before which the trader leaves its balance sheet alone",
            unit="s",
            default=0.0,
            ge=0,
            le=1e9,
        )

        def named_assets(self) -> Iterator[tuple[str, str]]:
            """Yield path and name of every asset that the parameters name."""
            for place, name in enumerate(self.illiquid):
                yield f"illiquid.{place}", name

    @classmethod
    def prepare(cls, group: Group, market: Market, draws: StepDraws) -> None:
        """Remember the equity ratio that every trader begins with, where that is the target."""
        target = group.parameters.target
        group.memory = {
            row: target or cls(row, group).first_ratio(market) for row in group.members.tolist()
        }

    def first_ratio(self, market: Market) -> float:
        """Return equity over assets before the first step."""
        wealth = int(self.columns.wealth[self.row])
        return wealth / max(1, wealth + sum(self._debts().values()))

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        if int(market.step[0]) * self.group.step_seconds < self.parameters.first_seconds:
            return []
        if int(self.accounts.n_liquidations[self.row]) > 0:
            return self._sales(1.0)
        equity, debts = self.equity, self._debts()
        assets = equity + sum(debts.values())
        need = assets - equity / self.group.memory[self.row]
        if equity >= self.parameters.buffer * assets or need <= 0:
            return []
        repayments = self._repayments(debts, min(need, self.wallet))
        repaid = sum(order.lots * self.value_of_lot(order.asset) for order in repayments)
        missing = max(0.0, need - repaid - max(0, self.wallet - repaid))
        worth = sum(held * self.value_of_lot(asset) for asset, held in self._spot())
        return repayments + self._sales(min(1.0, missing / worth) if worth else 0.0)

    def _debts(self) -> dict[int, int]:
        """Return what is owed in every perpetual held short, at the last mark, micro-USD."""
        held = enumerate(self.positions.tolist())
        return {asset: -lots * self.value_of_lot(asset) for asset, lots in held if lots < 0}

    def _spot(self) -> list[tuple[int, int]]:
        """Return asset and lots of the spot that can be sold."""
        spot = [asset for asset in self._liquid() if self.group.market.is_spot[asset]]
        return [(asset, int(self.positions[asset])) for asset in spot if self.positions[asset] > 0]

    def _liquid(self) -> list[int]:
        """Return the assets traded, but for the illiquid ones."""
        names = self.group.asset_names
        kept = {names.index(name) for name in self.parameters.illiquid}
        return [asset for asset in self.assets if asset not in kept]

    def _repayments(self, debts: dict[int, int], budget: float) -> list[Order]:
        """Return orders that buy debt back, whole lots, one debt after another."""
        orders = []
        for asset in self._liquid():
            lots = self.lots_for(min(budget, debts.get(asset, 0)), asset)
            if lots > 0:
                orders.append(Order(asset, MARKET, lots, reduce_only=1))
                budget -= lots * self.value_of_lot(asset)
        return orders

    def _sales(self, share: float) -> list[Order]:
        """Return orders that sell a share of all spot, to the nearest lot."""
        sizes = [(asset, min(held, math.floor(share * held + 0.5))) for asset, held in self._spot()]
        return [Order(asset, MARKET, -lots, reduce_only=1) for asset, lots in sizes if lots > 0]

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets
