"""Who chooses a round's forced orders: the closure policy of each margin mode, called once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stresslab.core.events import CROSS, ISOLATED
from stresslab.liquidation.closures.legs import LEGS, MOST_LIQUID
from stresslab.liquidation.floor import Clearing
from stresslab.liquidation.forced import ForcedOrders
from stresslab.liquidation.modes import MarginAndClosure, ModeWithClosure
from stresslab.margin.pools import pool_states
from stresslab.margin.tiers import rate_units

NEVER = -(2**40)  # a step before all others


class Terms(NamedTuple):
    """What the rule of one mode's closure works with besides accounts and marks."""

    numbers: np.ndarray  # (k,) the policy's own
    ranking: np.ndarray  # (1,) how legs are ranked, of LEGS
    rates: np.ndarray  # (3,) taker fee, penalty, target of maintenance / equity; 1e-9
    clock: np.ndarray  # (1,) this step
    depth: np.ndarray  # (2, A) lots bid and offered within 1 % of the mark, if legs need it
    opened: np.ndarray  # (P,) step of a pool's breach, by code
    acted: np.ndarray  # (P,) step in which a pool, or account, was last acted upon
    used: np.ndarray  # (A, slots) micro-USD forced by step of a window; no slot without one
    used_at: np.ndarray  # (slots,) the step of each slot


class ModeCloser:
    """The closure policy of one margin mode, with what it remembers."""

    def __init__(
        self, mode: ModeWithClosure, target: float, clearing: Clearing, step_seconds: float
    ) -> None:
        n_pools, n_assets = clearing.accounts.cash.size, clearing.accounts.position.shape[0]
        policy = mode.closure
        slots = policy.window_steps(step_seconds)
        self.policy, self.rule, self._clearing = policy, policy.rule(), clearing
        rates = [int(clearing.costs.taker[0]), *map(rate_units, (mode.penalty_rate, target))]
        self._ordered = np.zeros(n_assets, np.int64)
        self.terms = Terms(
            numbers=np.array(policy.numbers(step_seconds), np.int64),
            ranking=np.array([LEGS[policy.leg]], np.int64),
            rates=np.array(rates, np.int64),
            clock=np.zeros(1, np.int64),
            depth=np.zeros((2, n_assets), np.int64),
            opened=np.full(n_pools, NEVER, np.int64),
            acted=np.full(n_pools, NEVER, np.int64),
            used=np.zeros((n_assets, slots), np.int64),
            used_at=np.full(slots, NEVER, np.int64),
        )

    def choose(
        self, step: int, marks: np.ndarray, pools: np.ndarray, floor: Any, orders: ForcedOrders
    ) -> None:
        """Add the orders of the mode's pools in breach; ``floor`` tells the depth of its books."""
        c, terms = self._clearing, self.terms
        terms.clock[0] = step
        if terms.ranking[0] == MOST_LIQUID:
            terms.depth[:] = floor.depths(marks)
        if self.policy.is_rationed:
            pools = by_urgency(c, marks, pools)
        first = int(orders.n[0])
        self.rule(c.accounts, c.tables, terms, marks, pools, orders)
        rows = slice(first, int(orders.n[0]))
        np.add.at(self._ordered, orders.asset[rows], np.abs(orders.lots[rows]))

    def settle(self, step: int, marks: np.ndarray, assets: np.ndarray, filled: np.ndarray) -> None:
        """Free the room that orders of this round took in a window and did not fill."""
        slots = self.terms.used_at.size
        if slots:
            np.subtract.at(self._ordered, assets, np.abs(filled))
            lot_value = marks * self._clearing.tables.unit_value
            self.terms.used[:, step % slots] -= self._ordered * lot_value
        self._ordered[:] = 0


class Closer:
    """Chooses the forced orders of a round, cross pools first, one call for each mode."""

    def __init__(
        self, margin: MarginAndClosure, target: float, clearing: Clearing, step_seconds: float
    ) -> None:
        self._n_accounts = clearing.accounts.id.size
        self._by_mode = {
            mode: ModeCloser(rules, target, clearing, step_seconds)
            for mode, rules in ((CROSS, margin.cross), (ISOLATED, margin.isolated))
        }

    def breached(self, step: int, codes: np.ndarray) -> None:
        """Remember when pools were first seen in breach."""
        for closer in self._by_mode.values():
            closer.terms.opened[codes] = step

    def choose(
        self, step: int, marks: np.ndarray, pools: np.ndarray, floor: Any, orders: ForcedOrders
    ) -> None:
        """Write the forced orders of the pools in breach, given by rising code."""
        orders.n[0] = 0
        for mode, part in self._parts(pools):
            if part.size:
                self._by_mode[mode].choose(step, marks, part, floor, orders)

    def settle(self, step: int, marks: np.ndarray, orders: ForcedOrders) -> None:
        """Let the policies know what of their orders was filled."""
        n = int(orders.n[0])
        is_isolated = orders.pool[:n] >= self._n_accounts
        for mode, closer in self._by_mode.items():
            rows = np.flatnonzero(is_isolated == (mode == ISOLATED))
            closer.settle(step, marks, orders.asset[rows], orders.filled[rows])

    def _parts(self, pools: np.ndarray) -> list[tuple[int, np.ndarray]]:
        n_cross = int(np.searchsorted(pools, self._n_accounts))
        return [(CROSS, pools[:n_cross]), (ISOLATED, pools[n_cross:])]


def by_urgency(clearing: Clearing, marks: np.ndarray, pools: np.ndarray) -> np.ndarray:
    """Return pool codes with the lowest equity / maintenance first, ties by account id and code."""
    equity, need, _ = pool_states(clearing.accounts, clearing.tables, marks, pools)
    pairs = zip(equity.tolist(), need.tolist(), strict=True)
    ratio = np.array([have / max(wanted, 1) for have, wanted in pairs])
    ids = clearing.accounts.id[pools % clearing.accounts.id.size]
    return pools[np.lexsort((ids, ratio))]
