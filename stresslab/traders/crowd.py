"""All traders of a run: whose turn it is, what they order, which margin mode they choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stresslab.core.columns import Accounts, Market, Orders, make_orders
from stresslab.core.random import Streams
from stresslab.traders.group import Group, StepDraws, value_lots
from stresslab.traders.population import Population
from stresslab.traders.rules import TraderGroup
from stresslab.traders.strategies import kind_of
from stresslab.traders.turns import NEVER, TurnCalendar


class Crowd:
    """The traders at work.

    Parameters
    ----------
    accounts : with ``id`` and ``position`` as the population has them
    margin_mode : the scenario's choice, for groups that have none of their own
    n_steps : last step that ``decide`` will be asked for; the first is 1
    asset_names : names of all assets, for strategies whose parameters name some
    """

    def __init__(
        self,
        rules: Mapping[str, TraderGroup],
        margin_mode: Any,
        population: Population,
        accounts: Accounts,
        market: Market,
        streams: Streams,
        step_seconds: float,
        n_steps: int,
        asset_names: tuple[str, ...] = (),
    ) -> None:
        self.columns = population.columns
        self.orders: Orders = make_orders(1024)
        self._streams, self._market = streams, market
        self._lot_value = market.mark * market.unit_value
        self.groups = [
            Group(
                name=name,
                kind=kind_of(group.strategy),
                parameters=group.strategy,
                choice=group.margin_mode or margin_mode,
                accounts=accounts,
                columns=self.columns,
                market=market,
                lot_value=self._lot_value,
                step_seconds=step_seconds,
                asset_names=asset_names,
                members=np.flatnonzero(self.columns.group == place),
            )
            for place, (name, group) in enumerate(rules.items())
        ]
        mean_seconds = np.array(
            [
                NEVER if group.strategy.is_idle else rule.seconds_between_turns
                for group, rule in zip(self.groups, rules.values(), strict=True)
            ]
        )
        self._calendar = TurnCalendar(
            accounts.id, mean_seconds[self.columns.group], step_seconds, n_steps, streams["turn"]
        )

    def prepare(self) -> None:
        """Choose the modes of the first positions, then let strategies set their own columns.

        The positions of the population stand in ``accounts``; no cash needs to have moved yet.
        """
        draws = StepDraws(self._streams, 0)
        for group in self.groups:
            group.choice.choose_first(group, draws)
            group.strategy.prepare(group, self._market, draws)

    def open_books(self) -> Orders:
        """Return the first quotes of those who make the market, all of them, before step 1."""
        draws = StepDraws(self._streams, 0)
        self.orders.n[0] = 0
        for group in self.groups:
            if group.strategy.opens_books:
                group.rows = group.members
                self._ask(group, draws)
        return self.orders

    def decide(self, step: int) -> Orders:
        """Return the orders of everybody whose turn it is; the batch is reused by the next step."""
        draws = StepDraws(self._streams, step)
        due = self._calendar.due(step)
        value_lots(self._market, self._lot_value)
        places = self.columns.group[due]
        by_group = due[places.argsort(kind="stable")]
        ends = np.bincount(places, minlength=len(self.groups)).cumsum().tolist()
        self.orders.n[0] = 0
        first = 0
        for group, end in zip(self.groups, ends, strict=True):
            if first < end:
                group.rows = by_group[first:end]
                self._ask(group, draws)
            first = end
        return self.orders

    def _ask(self, group: Group, draws: StepDraws) -> None:
        self._make_room(group.rows.size * group.orders_per_turn)
        first = int(self.orders.n[0])
        group.strategy.decide_all(group, self._market, draws, self.orders)
        last = int(self.orders.n[0])
        if last > first:
            group.choice.choose(group, draws, self.orders, first, last)

    def _make_room(self, wanted: int) -> None:
        used = int(self.orders.n[0])
        if used + wanted <= self.orders.lots.size:
            return
        larger = make_orders(2 * (used + wanted))
        for old, new in zip(self.orders, larger, strict=True):
            new[: old.size] = old
        self.orders = larger
