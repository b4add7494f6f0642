"""A trader: a handle on one row of the columns, and the rule it decides by.

A strategy is one class in one file, derived from :class:`Trader`: its declared ``Parameters`` and
its rule ``decide``. Nothing here imports mesa or numba, so that a config can be checked quickly;
:mod:`stresslab.traders.agents` makes the class a Mesa agent when a model is built.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from stresslab.core.columns import (
    CANCEL_ALL,
    IOC,
    LIMIT,
    MOVE_MARGIN,
    POST_ONLY,
    SET_MODE,
    VOLUNTARY,
)
from stresslab.core.declarations import declared, parameters
from stresslab.core.errors import StresslabError
from stresslab.core.events import CROSS, FLAT, ISOLATED, MODES

if TYPE_CHECKING:
    import numpy as np

    from stresslab.core.columns import Accounts, Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws
    from stresslab.traders.state import TraderColumns


_NO_VALUES: Any = namedtuple("_NO_VALUES", ())  # type: ignore[misc]


class Order(NamedTuple):
    """One order request of a trader; ``lots`` is signed, positive buys."""

    asset: int
    kind: int  # LIMIT, MARKET, IOC, POST_ONLY, CANCEL_ALL, SET_MODE or MOVE_MARGIN of core.columns
    lots: int
    price: int = 0  # ticks; ignored by MARKET and CANCEL_ALL
    reduce_only: int = 0  # 1: may only bring the position towards zero
    tag: int = VOLUNTARY


class Trader:
    """Base of all strategies: reads one row of the columns and answers with orders.

    A strategy must have ``decide``. It may have ``decide_all``, the same rule for many rows in one
    kernel; without it every trader is asked one by one.
    """

    @declared
    class Parameters:
        """A strategy without parameters."""

    #: The parameters as kernels get them: a named tuple of numbers.
    Values: ClassVar[Any] = _NO_VALUES
    #: True when the strategy offers liquidity that must not take, which impact books refuse.
    is_post_only: ClassVar[bool] = False
    #: True when the strategy rests orders and is asked once before the first step.
    opens_books: ClassVar[bool] = False
    #: True when the strategy never does anything, so that nobody need ask it. Not inherited.
    is_idle: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "Parameters" not in vars(cls):
            cls.Parameters = _own_parameters(cls)  # type: ignore[misc]
        cls.Values = _values_type(cls)
        cls.is_idle = vars(cls).get("is_idle", False)  # type: ignore[misc]

    def __init__(self, row: int, group: Group, *mesa_arguments: Any) -> None:
        super().__init__(*mesa_arguments)
        self.row = row
        self.group = group
        self.unique_id = int(group.accounts.id[row])

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Append the orders of every trader in ``group.rows``, each asked through ``decide``."""
        for row in group.rows.tolist():
            trader = group.trader(row)
            answer = trader.decide(market, draws.of(trader.unique_id))
            trader.check(answer)
            for order in answer:
                _append(orders, row, order)

    @classmethod
    def prepare(cls, group: Group, market: Market, draws: StepDraws) -> None:
        """Set the strategy's own columns once, before the first step."""

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        """Return the largest number of orders that one trader sends in one turn."""
        return 16 * n_assets

    @classmethod
    def largest_position(
        cls, parameters: Any, leverage: np.ndarray, n_assets: np.ndarray
    ) -> np.ndarray:
        """Return what each trader holds of one asset at most, x of equity, (n,); infinite: any.

        Theory asks it of those who open books: it is what they can take from forced sellers.

        Parameters
        ----------
        leverage : (n,) target leverage of each trader
        n_assets : (n,) assets that each trades
        """
        return leverage + math.inf

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        """Return the orders of this turn; ``draws`` are the trader's own for this step."""
        raise NotImplementedError(f"{type(self).__name__} has no decide")

    def check(self, orders: list[Order]) -> None:
        """Raise StresslabError when the trader's rule gave orders that no book can take."""
        most, n_assets = self.group.orders_per_turn, self.positions.size
        if len(orders) > most:
            raise StresslabError(
                self._complaint(f"{len(orders)} orders in a turn; allowed: {most}")
            )
        for order in orders:
            needs_price = order.kind in (LIMIT, IOC, POST_ONLY)
            is_sound = 0 <= order.asset < n_assets and LIMIT <= order.kind <= MOVE_MARGIN
            is_empty = order.lots == 0 and order.kind != CANCEL_ALL
            is_sound &= order.kind != SET_MODE or order.lots in (ISOLATED, CROSS)
            if not is_sound or is_empty or (needs_price and order.price < 1):
                raise StresslabError(self._complaint(_describe(order, n_assets)))

    def _complaint(self, what: str) -> str:
        return f"strategy '{self.group.kind}', trader {self.unique_id}: {what}"

    @property
    def parameters(self) -> Any:
        """The parameters of the trader's group."""
        return self.group.parameters

    @property
    def accounts(self) -> Accounts:
        return self.group.accounts

    @property
    def columns(self) -> TraderColumns:
        return self.group.columns

    @property
    def positions(self) -> np.ndarray:
        """Signed lots held of each asset, shape ``(n_assets,)``."""
        return self.accounts.position[:, self.row]

    @property
    def assets(self) -> list[int]:
        """Ids of the assets that the trader trades."""
        return [a for a, yes in enumerate(self.columns.trades[:, self.row].tolist()) if yes]

    @property
    def wallet(self) -> int:
        """Cash of the cross pool, micro-USD."""
        return int(self.accounts.wallet[self.row])

    @property
    def equity(self) -> int:
        """Equity of the whole account at the last mark, micro-USD."""
        market = self.group.market
        values = market.mark * market.unit_value
        return int(self.accounts.cash[:, self.row].sum() + (self.positions * values).sum())

    @property
    def leverage(self) -> float:
        """Target leverage of the trader, notional over equity."""
        return float(self.columns.leverage[self.row])

    @property
    def trait(self) -> float:
        """A number in (0, 1) that sets the trader apart from others of its group, for good."""
        return float(self.columns.trait[self.row])

    def value_of_lot(self, asset: int) -> int:
        """Return what one lot is worth at the last mark, micro-USD."""
        market = self.group.market
        return int(market.mark[asset] * market.unit_value[asset])

    def lots_for(self, notional: float, asset: int) -> int:
        """Return the whole lots that a notional in micro-USD pays for at the last mark."""
        return math.floor(notional / self.value_of_lot(asset)) if notional > 0 else 0

    def usable_leverage(self, asset: int) -> float:
        """Return the target leverage, held to what the venue allows in an asset (1 for spot)."""
        if self.group.market.is_spot[asset]:
            return min(self.leverage, 1.0)
        rate = float(self.group.market.initial_rate[asset])
        return min(self.leverage, 1.0 / rate) if rate > 0 else self.leverage

    def spread_around(self, value: float, dispersion: float) -> float:
        """Return a group's value as this trader has it, between 1 -/+ dispersion times it."""
        return value * (1.0 + dispersion * (2.0 * self.trait - 1.0))

    def set_mode(self, asset: int, mode: str) -> Order:
        """Return the request that the next position be isolated or cross; refused while one is."""
        return Order(asset, SET_MODE, MODES.index(mode))

    def move_margin(self, asset: int, micro_usd: int) -> Order:
        """Return the request to move margin into an isolated position, negative out of it."""
        return Order(asset, MOVE_MARGIN, micro_usd)

    @property
    def margin_mode(self) -> str:
        """The mode of all open positions: ``flat``, ``isolated``, ``cross`` or ``mixed``."""
        held = {int(m) for m in self.accounts.mode[:, self.row] if m != FLAT}
        if len(held) > 1:
            return "mixed"
        return MODES[held.pop()] if held else MODES[FLAT]


def _own_parameters(cls: type[Trader]) -> Any:
    """Make inherited parameters a class of their own, by which the strategy is recognised."""
    inherited = cls.Parameters
    body = {"__doc__": inherited.__doc__, "__module__": cls.__module__}
    return declared(type("Parameters", (inherited,), body))


def _values_type(cls: type[Trader]) -> Any:
    """Make the named tuple in which kernels get the parameters: the declared names, in order."""
    names = [p.name for p in parameters(cls.Parameters)]
    values: Any = namedtuple("Values", names)  # type: ignore[misc]
    values.__module__, values.__qualname__ = cls.__module__, f"{cls.__qualname__}.Values"
    return values


def _describe(order: Order, n_assets: int) -> str:
    return (
        f"{order} cannot be sent; allowed are assets 0 to {n_assets - 1}, the kinds of "
        "core.columns, lots other than 0, and prices of at least 1 tick"
    )


def _append(orders: Orders, row: int, order: Order) -> None:
    place = orders.n[0]
    orders.n[0] = place + 1
    orders.trader[place] = row
    orders.asset[place] = order.asset
    orders.kind[place] = order.kind
    orders.lots[place] = order.lots
    orders.price[place] = order.price
    orders.reduce_only[place] = order.reduce_only
    orders.tag[place] = order.tag
