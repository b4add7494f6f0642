"""The change that makes a run the counterfactual twin of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stresslab.core.columns import Accounts, Orders
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.ledger import EXTERNAL, TRANSFER, change_position, pay_house
from stresslab.traders.counterfactual import Counterfactual

if TYPE_CHECKING:
    from stresslab.liquidation.engine import LiquidationEngine
    from stresslab.model.world import World


def choose_first_modes(rules: Counterfactual, accounts: Accounts, is_spot: np.ndarray) -> None:
    """Overrule the modes of the first positions, if the change holds from the start."""
    if rules.from_step is None:
        _choose_modes(rules, accounts, is_spot)


def _choose_modes(rules: Counterfactual, accounts: Accounts, is_spot: np.ndarray) -> None:
    for ids, mode in ((rules.make_isolated, ISOLATED), (rules.make_cross, CROSS)):
        rows = np.flatnonzero(np.isin(accounts.id, np.array(ids, np.int64)))
        for asset in np.flatnonzero(is_spot == 0):
            accounts.chosen_mode[asset, rows] = mode


class Change:
    """Applies a counterfactual when its step has come, and keeps it up."""

    def __init__(
        self, rules: Counterfactual, world: World, engine: LiquidationEngine, assets: list[str]
    ) -> None:
        self._rules, self._world, self._engine, self._assets = rules, world, engine, assets
        self.holds = False

    def before_step(self, step: int | None, stops: Orders) -> None:
        """Make the change if it begins with this step; ``None`` stands for the start."""
        rules = self._rules
        if self.holds or rules.is_empty or step != rules.from_step:
            return
        self.holds = True
        if rules.remove:
            self._remove(np.array(rules.remove, np.int64))
        if rules.without_stop_orders:
            stops.n[0] = 0
        if rules.quiet_assets:
            self._engine.closing.silence(np.flatnonzero(np.isin(self._assets, rules.quiet_assets)))
        if rules.feedback:
            self._engine.closing.feedback = rules.feedback

    @property
    def ignores_stops(self) -> bool:
        """Tell whether stop orders are ignored by now."""
        return self.holds and self._rules.without_stop_orders

    def after_choice(self) -> None:
        """Overrule the modes that traders have chosen for their next positions."""
        if self.holds:
            c = self._world.clearing
            _choose_modes(self._rules, c.accounts, c.tables.is_spot)

    def _remove(self, ids: np.ndarray) -> None:
        c = self._world.clearing
        n_assets, n_accounts = c.accounts.position.shape
        rows = np.flatnonzero(np.isin(c.accounts.id, ids))
        pools = (np.arange(n_assets + 1)[:, None] * n_accounts + rows).ravel()
        self._world.floor.withdraw(pools)
        _hand_to_external(c.accounts, c.house, c.journal, rows)
        columns = self._world.crowd.columns
        columns.stop_ticks[:, rows] = 0
        columns.take_profit_ticks[:, rows] = 0
        columns.waiting_ticks[:, rows] = 0


@kernel
def _hand_to_external(accounts, house, journal, rows):  # type: ignore[no-untyped-def]
    for n in rows:
        for a in range(accounts.position.shape[0]):
            lots = accounts.position[a, n]
            change_position(accounts, journal, n, a, -lots)
            house.position[a] += lots
            accounts.mode[a, n] = FLAT
            accounts.entry_cost[a, n] = 0
            accounts.profit_cut[a, n] = 0
        for pool in range(accounts.cash.shape[0]):
            cash = accounts.cash[pool, n]
            pay_house(accounts, house, journal, n, pool, EXTERNAL, cash, TRANSFER)
