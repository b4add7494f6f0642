"""The cascade that a slow shock brings about: fall by fall, until nobody is in breach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from stresslab.contagion.theory.venue import Venue

MOST_ROUNDS = 10_000
LEAST_LOTS = 1e-6  # that are worth a round
FIRST_INCREMENT = 0.005  # of the price: a shock is followed in steps of at most this size


class State(NamedTuple):
    """Where the market has come to rest."""

    shock: float  # fall of the index of the shocked assets
    prices: np.ndarray  # (n_assets,) marks, ticks
    closed: np.ndarray  # (n_pools, n_assets) signed lots closed so far
    notional: np.ndarray  # (n_assets,) forced notional so far, at the marks of its rounds, USD
    rounds: int  # of the whole path
    breached: np.ndarray  # (n_pools,) whether a pool has had to close something so far
    paid: np.ndarray  # (n_assets,) what the market has paid for it, less what it got, USD

    def falls(self, venue: Venue) -> np.ndarray:
        """Return the fall of each mark since the start, (n_assets,)."""
        fall: np.ndarray = 1.0 - self.prices / venue.prices
        return fall

    def accounts(self, venue: Venue) -> int:
        """Count accounts that had to close something, whether or not anybody took it."""
        return len(np.unique(venue.account[self.breached]))


def cascade(venue: Venue, shocked: np.ndarray, sizes: Sequence[float]) -> list[State]:
    """Return the state at each shock size, along one path on which the index falls slowly.

    At each point of the path pools in breach close what they must, which moves the marks, until
    nobody else is in breach: the least fixed point, in the limit of equal rounds the fluid limit of
    the engine's cascade. What was closed stays closed. There is no other trader than the book; it
    takes no more than it has room for, and what finds nobody waits.

    Parameters
    ----------
    shocked : (n_assets,) whether an asset's index falls
    sizes : falls of the index, rising, 0 to 1
    """
    state = settled(venue, calm(venue), shocked, 0.0)
    states = []
    for size in sizes:
        n_parts = max(1, round(np.ceil((size - state.shock) / FIRST_INCREMENT - 1e-9)))
        for shock in np.linspace(state.shock, size, n_parts + 1)[1:].tolist():
            state = settled(venue, state, shocked, shock)
        states.append(state)
    return states


def index_at(venue: Venue, shocked: np.ndarray, shock: float) -> np.ndarray:
    """Return index prices after a fall of the shocked assets, (n_assets,) ticks."""
    index: np.ndarray = venue.prices * np.where(shocked, 1.0 - shock, 1.0)
    return index


def calm(venue: Venue) -> State:
    """Return the state before anything happens."""
    nothing = np.zeros(len(venue.assets))
    closed, breached = np.zeros_like(venue.positions), np.zeros(len(venue.positions), bool)
    return State(0.0, venue.prices, closed, nothing, 0, breached, nothing)


def settled(venue: Venue, state: State, shocked: np.ndarray, shock: float) -> State:
    """Let a state come to rest at a shock."""
    index = index_at(venue, shocked, shock)
    _, _, closed, notional, rounds, breached, paid = state
    prices = index * venue.factor(-closed.sum(axis=0))
    for _ in range(MOST_ROUNDS):
        due = venue.closed_at(prices)
        wanted = np.where(np.abs(due) > np.abs(closed), due - closed, 0.0)
        breached = breached | (wanted != 0).any(axis=1)
        added = wanted * taken(wanted, venue.room(-closed.sum(axis=0), paid, prices))
        if not (np.abs(added) > LEAST_LOTS).any():
            break
        notional = notional + venue.notional(added, prices).sum(axis=0)
        paid = paid + added.sum(axis=0) * prices * venue.lot_value_usd
        closed = closed + added
        prices = index * venue.factor(-closed.sum(axis=0))
        rounds += 1
    return State(shock, prices, closed, notional, rounds, breached, paid)


def taken(wanted: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return the part of what is to be closed that is taken, (n_pools, n_assets).

    Sales and purchases of one round meet the same owners: each makes room for the other.
    """
    sold, bought = np.maximum(wanted, 0).sum(axis=0), np.maximum(-wanted, 0).sum(axis=0)
    parts = [
        np.minimum(1.0, np.divide(most, lots, out=np.ones(len(lots)), where=lots > 0))
        for lots, most in ((sold, room[0] + bought), (bought, room[1] + sold))
    ]
    part: np.ndarray = np.where(wanted > 0, parts[0], parts[1])
    return part
