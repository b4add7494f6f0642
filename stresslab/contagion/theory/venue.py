"""A market as theory sees it: pools, what they must close at given prices, what that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stresslab.contagion.next_generation import MODES, SIDES
from stresslab.contagion.theory.course import Course

#: Net flow so far (n_assets,) in lots, what it has been paid (n_assets,) in USD, marks (n_assets,)
#: -> lots that the market can still buy, and still sell, (2, n_assets).
Room = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def unlimited(flow: np.ndarray, paid: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Return infinite room: whatever is to be closed finds somebody."""
    return np.full((2, len(flow)), np.inf)


@dataclass(frozen=True)
class Venue:
    """First positions by pool, and two functions of prices and flow; nothing moves by itself."""

    assets: tuple[str, ...]
    prices: np.ndarray  # (n_assets,) marks before anything happens, ticks
    lot_value_usd: np.ndarray  # (n_assets,) USD of one lot and one tick
    positions: np.ndarray  # (n_pools, n_assets) signed lots
    is_cross: np.ndarray  # (n_pools,)
    account: np.ndarray  # (n_pools,) account id
    n_accounts: int  # those without positions included
    #: Marks (n_assets,) -> signed lots that every pool in breach would have closed by then,
    #: (n_pools, n_assets), of the sign of the position.
    closed_at: Callable[[np.ndarray], np.ndarray]
    #: Net flow so far (n_assets,), lots, negative is sold -> mark over index (n_assets,).
    factor: Callable[[np.ndarray], np.ndarray]
    room: Room = unlimited
    course: Course | None = None  # how a shock unfolds in time; None: slowly

    @property
    def n_types(self) -> int:
        """Types of forced notional: asset, side, mode."""
        return len(self.assets) * len(SIDES) * len(MODES)

    def notional(self, closed: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Return the notional of closed lots in USD, (n_pools, n_assets)."""
        value: np.ndarray = np.abs(closed) * (prices * self.lot_value_usd)
        return value

    def by_type(self, notional: np.ndarray) -> np.ndarray:
        """Sum notional (n_pools, n_assets) by type, (n_types,): asset, then side, then mode."""
        asset = np.broadcast_to(np.arange(len(self.assets)), notional.shape)
        is_short = (self.positions < 0).astype(np.int64)
        mode = self.is_cross.astype(np.int64)[:, np.newaxis]
        kind = (asset * len(SIDES) + is_short) * len(MODES) + mode
        return np.bincount(kind.ravel(), notional.ravel(), self.n_types)
