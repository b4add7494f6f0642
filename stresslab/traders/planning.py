"""Plans of what the traders of one group hold before the first step.

Every draw is addressed by a trader's id and an asset's id, so another trader or another asset at
the end of the config changes nobody else's plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stresslab.core.random import Streams, uniforms
from stresslab.traders.kernels.population import exponentials, lognormals
from stresslab.traders.state import NO_LEG

#: Initial margin of the strictest arm: ``(asset id, notional) -> margin``, both int64 micro-USD of
#: shape ``(n_traders,)``; convex in the notional and 0 at 0, as tiered margin is.
InitialMargin = Callable[[int, np.ndarray], np.ndarray]

#: Kept back from a budget, so that rounding of floats can never overdraw it.
_SAFETY = 1.0 - 1e-9


class Instruments(NamedTuple):
    """What a population needs to know of the assets."""

    names: tuple[str, ...]
    price: np.ndarray  # (A,) ticks before the first step
    unit_value: np.ndarray  # (A,) micro-USD of one tick times one lot
    is_spot: np.ndarray  # (A,) 1 for spot, 0 for a perpetual

    @property
    def lot_value(self) -> np.ndarray:
        """Micro-USD of one lot before the first step, shape ``(A,)``."""
        return self.price * self.unit_value


class Plan(NamedTuple):
    """What the traders of a group hold and trade."""

    position: np.ndarray  # (A, n) signed lots
    trades: np.ndarray  # (A, n) 1 for the assets traded
    first_leg: np.ndarray  # (n,) asset of a hedge's first leg, or NO_LEG
    second_leg: np.ndarray  # (n,)


class Planner:
    """The tools that holdings plan with, for the traders of one group.

    Parameters
    ----------
    ids, wealth, leverage : of the group's traders, shape ``(n,)``; wealth in micro-USD
    free_wallet : share of wealth that backs no position
    assets : ids of the assets that the group trades
    """

    def __init__(
        self,
        ids: np.ndarray,
        wealth: np.ndarray,
        leverage: np.ndarray,
        free_wallet: float,
        assets: np.ndarray,
        instruments: Instruments,
        initial_margin: InitialMargin,
        streams: Streams,
    ) -> None:
        self.ids, self.leverage, self.assets = ids, leverage, assets
        self.budget = wealth * (1.0 - free_wallet)
        self.instruments = instruments
        self._initial_margin, self._streams = initial_margin, streams
        self._shape = (len(instruments.names), ids.size)

    @property
    def perpetuals(self) -> np.ndarray:
        """Ids of the perpetuals among the group's assets."""
        return self.assets[self.instruments.is_spot[self.assets] == 0]

    def empty(self) -> Plan:
        """Return a plan without positions and without assets to trade."""
        return Plan(
            position=np.zeros(self._shape, np.int64),
            trades=np.zeros(self._shape, np.int8),
            first_leg=np.full(self.ids.size, NO_LEG),
            second_leg=np.full(self.ids.size, NO_LEG),
        )

    def counts(self, number: int) -> np.ndarray:
        """Return the same number for every trader."""
        return np.full(self.ids.size, number, np.int64)

    def uniforms(self, stream: str, draw: int = 0) -> np.ndarray:
        """Return one uniform draw of each trader, shape ``(n,)``."""
        return uniforms(self._streams[stream], self.ids, 0, draw)

    def lognormals(self, stream: str, sigma: float) -> np.ndarray:
        """Return lognormal draws of median 1 by asset and trader, shape ``(A, n)``."""
        if sigma == 0:
            return np.ones(self._shape)
        key = self._streams[stream]
        return np.stack([lognormals(key, self.ids, a, sigma) for a in range(self._shape[0])])

    def choose(
        self,
        numbers: np.ndarray,
        weights: Mapping[str, float],
        among: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Return 1 for the perpetuals drawn, shape ``(A, n)``: ``numbers`` of them, by weight.

        References
        ----------
        Efraimidis and Spirakis (2006), Weighted random sampling with a reservoir: the smallest
        exponentials divided by their weights.
        """
        names, key = self.instruments.names, self._streams["asset_held"]
        waits = np.full(self._shape, np.inf)
        for asset in self.perpetuals.tolist():
            if among is None or names[asset] in among:
                waits[asset] = exponentials(key, self.ids, asset) / weights.get(names[asset], 1.0)
        ranks = waits.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        return ((ranks < numbers) & np.isfinite(waits)).astype(np.int64)

    def sides(self, share_long: float, correlation: float) -> np.ndarray:
        """Return 1 (long) or -1 by asset and trader, shape ``(A, n)``.

        With chance ``correlation`` a position uses the account's common draw, else its own.
        """
        common = self.uniforms("side_of_account")
        sides = np.empty(self._shape, np.int64)
        for asset in range(self._shape[0]):
            is_common = self.uniforms("side_is_common", asset) < correlation
            own = self.uniforms("side_of_position", asset)
            sides[asset] = np.where(np.where(is_common, common, own) < share_long, 1, -1)
        return sides

    def split(self, total: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Split each trader's total over assets in proportion to weights, shape ``(A, n)``."""
        whole = np.zeros(self.ids.size)
        for row in weights:
            whole += row
        return total * weights / np.where(whole > 0, whole, 1.0)

    def affordable_lots(self, notional: np.ndarray, n_paid: int = 0) -> np.ndarray:
        """Return whole lots for notionals in micro-USD, shape ``(A, n)``, within the budget.

        An account whose initial margin, and ``n_paid`` times the notional paid in cash, exceed its
        budget is scaled down; that is enough since margin is convex in the notional.
        """
        need = np.zeros(self.ids.size)
        for asset, wanted in enumerate(notional):
            need += self._initial_margin(asset, wanted.astype(np.int64)) + n_paid * wanted
        scale = np.minimum(1.0, _SAFETY * self.budget / np.where(need > 0, need, 1.0))
        value = self.instruments.lot_value[:, np.newaxis]
        return np.floor(notional * np.where(need > 0, scale, 1.0) / value).astype(np.int64)

    def matching_spot(self, short: np.ndarray, spot_of: Mapping[str, str]) -> np.ndarray:
        """Return the spot lots worth what the perpetual lots are worth, rounded down."""
        names, value = self.instruments.names, self.instruments.lot_value
        spot = np.zeros(self._shape, np.int64)
        for perpetual, other in sorted(spot_of.items()):
            p, s = names.index(perpetual), names.index(other)
            spot[s] += short[p] * value[p] // value[s]
        return spot

    def name_legs(self, plan: Plan, first: np.ndarray, second: np.ndarray) -> None:
        """Write the assets of both legs into the plan, where a trader has both."""
        has_both = first.any(axis=0) & second.any(axis=0)
        plan.first_leg[has_both] = first.argmax(axis=0)[has_both]
        plan.second_leg[has_both] = second.argmax(axis=0)[has_both]
