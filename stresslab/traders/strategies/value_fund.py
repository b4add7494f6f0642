"""Value fund: borrows to buy what is below its value, and clears the market with other funds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class ValueFund(Trader):
    """Holds ``min(aggression · m, leverage) · wealth / price``, with m what price is below value.

    The funds of a group state their demands as functions of the price, and each asks for what its
    own demand is at the price where all of them and a market of fixed supply clear. So it takes an
    impact book of the law ``fixed_supply`` whose orders fill together at the price that they leave.
    A fund trades the first of its assets; the value is the index before the first step.

    A fund's wealth is not all that its account holds: investors give and take in proportion to how
    its average return exceeds a benchmark, and nothing passes through the venue. A fund that has
    lost nearly all closes, and another one of the first size takes its place later.

    References
    ----------
    Thurner, Farmer and Geanakoplos (2012), Leverage causes fat tails and clustered volatility,
    Quantitative Finance 12, 695-707, equations 3-10.
    """

    @declared
    class Parameters:
        capital_usd: float = param(
            "Wealth of a fund when it opens", unit="USD", default=2e6, gt=0, le=1e10
        )
        aggressions: tuple[float, ...] = param(
            "Demand for each unit of mispricing, dealt out in turn to the funds of an asset",
            unit="x of wealth",
            default=(5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0),
            symbol="β",
            gt=0,
            le=1e4,
        )
        most_leverage: float = param(
            "Most that a fund holds", unit="x of wealth", default=5.0, symbol="λ", gt=0, le=100
        )
        supply: float = param(
            "Supply of an asset, as the book's law has it: 101 depths at the initial price",
            unit="lots",
            default=1e9,
            symbol="N",
            gt=0,
            le=1e15,
        )
        flow_sensitivity: float = param(
            "Share of its wealth that a fund receives each turn for each unit of return beyond "
            "the benchmark",
            default=0.15,
            symbol="b",
            ge=0,
            le=10,
        )
        benchmark: float = param(
            "Return a turn that investors compare with", default=0.005, ge=-0.1, le=0.1
        )
        clears_lowest: bool = param(
            "Whether the lowest price holds where several clear, not the highest", default=False
        )
        forgetting: float = param(
            "Weight of the last turn in the average return", default=0.1, symbol="a", gt=0, le=1
        )
        closes_at: float = param(
            "Wealth below which a fund closes", unit="of its first", default=0.1, gt=0, lt=1
        )
        turns_closed: int = param(
            "Turns until another fund takes its place", unit="turns", default=100, ge=1, le=10**6
        )

    @classmethod
    def prepare(cls, group: Group, market: Market, draws: StepDraws) -> None:
        """Deal out assets and aggressions, and note what of each account is the fund's."""
        from stresslab.traders.kernels.value_fund import make_memory

        group.memory = make_memory(group)

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        memory, step = self.group.memory, int(market.step[0])
        if memory.planned[0] != step:
            self._plan(step)
        asset, lots = int(memory.asset[self.row]), int(memory.ordered[self.row])
        return [Order(asset, MARKET, lots)] if lots != 0 else []

    def _plan(self, step: int) -> None:
        from stresslab.traders.kernels.value_fund import plan_value_funds

        group = self.group
        plan_value_funds(group.rows, group.values, group.sight, group.memory, step)

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return 1

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.value_fund import decide_value_funds

        decide_value_funds(group.rows, group.values, group.sight, group.memory, draws.step, orders)
