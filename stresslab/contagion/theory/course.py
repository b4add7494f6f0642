"""A shock followed step by step: a book that fills up again, and stop orders that sell into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stresslab.contagion.theory.cascade import LEAST_LOTS, MOST_ROUNDS, State, index_at, taken

if TYPE_CHECKING:
    from stresslab.contagion.theory.venue import Venue

#: Marks (n_assets,), lots (n_pools, n_assets) that pools have sold otherwise, USD (n_pools,) they
#: got for them -> signed lots that pools in breach would close (n_pools, n_assets).
Due = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Course:
    """What a shock meets as it unfolds: a book that renews itself, and stop orders."""

    steps: int  # in which the index falls evenly
    after: int  # steps that follow at most, until nothing moves any more
    kept: float  # part of what displaces the book that is left of it a step later
    #: Lots that displace the book (n_assets,), negative is sold -> mark over index (n_assets,).
    factor: Callable[[np.ndarray], np.ndarray]
    resting: np.ndarray  # (2, n_assets) lots bid and offered before anything happens
    stops: np.ndarray  # (n_pools, n_assets) mark at which a position is closed, ticks, 0 for none
    due: Due


def unfold(venue: Venue, course: Course, shocked: np.ndarray, size: float) -> State:
    """Return the state after a shock of one size; its ``prices`` are the lowest marks on the way.

    In each step the book forgets a part of what displaced it, the index falls, and rounds follow
    until nobody sells: pools in breach close what they must, then the stops that the marks have
    reached sell their positions. Both take what rests in the book, and at most what its owners have
    room for. Pools come back, round after round and step after step; a stop sells once, and what
    finds nobody then stays with its pool.

    Parameters
    ----------
    shocked : (n_assets,) whether an asset's index falls
    size : fall of the index, 0 to 1
    """
    path = _Path(venue, course)
    for shock in np.linspace(0.0, size, course.steps + 1)[1:].tolist():
        path.step(index_at(venue, shocked, shock))
    for _ in range(course.after):
        rounds, before = path.rounds, path.displaced
        path.step(index_at(venue, shocked, size))
        if path.rounds == rounds and (np.abs(before - path.displaced) <= LEAST_LOTS).all():
            break
    return path.state(size)


@dataclass
class _Path:
    venue: Venue
    course: Course
    closed: np.ndarray = field(init=False)  # (n_pools, n_assets) lots closed by force
    stopped: np.ndarray = field(init=False)  # the same, sold by stops
    fired: np.ndarray = field(init=False)  # (n_pools, n_assets) whether a stop is used up
    rounds: int = 0

    def __post_init__(self) -> None:
        shape = self.venue.positions.shape
        self.closed, self.stopped = np.zeros(shape), np.zeros(shape)
        self.fired = self.course.stops == 0
        self.cash, self.breached = np.zeros(shape[0]), np.zeros(shape[0], bool)
        self.displaced, self.notional, self.paid = (np.zeros(shape[1]) for _ in range(3))
        self.prices = self.lowest = self.venue.prices

    def step(self, index: np.ndarray) -> None:
        self.displaced = self.displaced * self.course.kept
        self.prices = index * self.course.factor(self.displaced)
        for _ in range(MOST_ROUNDS):
            if not self._round():
                break
            self.prices = index * self.course.factor(self.displaced)
            self.rounds += 1
        self.lowest = np.minimum(self.lowest, self.prices)

    def state(self, shock: float) -> State:
        return State(shock, self.lowest, self.closed, self.notional, self.rounds, self.breached,
                     self.paid)  # fmt: skip

    def _open(self) -> np.ndarray:
        return self.venue.positions - self.closed - self.stopped

    def _round(self) -> bool:
        """Let pools in breach close and stops sell at the marks; return whether any did."""
        forced, stops = self._forced(), self._reached()
        stops = _at_most(stops, self._open() - forced)
        self.breached |= (forced != 0).any(axis=1)
        bids, offers = self._book()
        forced = forced * taken(forced, np.stack([bids, offers]))
        net = forced.sum(axis=0)
        left = np.maximum(np.stack([bids - net, offers + net]), 0.0)
        stops = stops * taken(stops, left)
        self._book_trades(forced, stops)
        return bool((np.abs(forced) + np.abs(stops) > LEAST_LOTS).any())

    def _forced(self) -> np.ndarray:
        due = self.course.due(self.prices, self.stopped, self.cash)
        wanted = np.where(np.abs(due) > np.abs(self.closed), due - self.closed, 0.0)
        return _at_most(wanted, self._open())

    def _reached(self) -> np.ndarray:
        """Return the positions whose stop a mark has reached, (n_pools, n_assets); use it up."""
        side = np.sign(self.venue.positions)
        reached = ~self.fired & ((self.prices - self.course.stops) * side <= 0)
        self.fired = self.fired | reached
        return np.where(reached, self._open(), 0.0)

    def _book(self) -> np.ndarray:
        """Return the lots that can be sold and bought, (2, n_assets)."""
        resting = self.course.resting + np.stack([self.displaced, -self.displaced])
        flow = -(self.closed + self.stopped).sum(axis=0)
        room = self.venue.room(flow, self.paid, self.prices)
        return np.maximum(np.minimum(room, resting), 0.0)

    def _book_trades(self, forced: np.ndarray, stops: np.ndarray) -> None:
        value = self.prices * self.venue.lot_value_usd
        net = (forced + stops).sum(axis=0)
        self.notional = self.notional + self.venue.notional(forced, self.prices).sum(axis=0)
        self.closed, self.stopped = self.closed + forced, self.stopped + stops
        self.cash = self.cash + (stops * value).sum(axis=1)
        self.paid = self.paid + net * value
        self.displaced = self.displaced - net


def _at_most(lots: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return lots, of which no more than ``most`` of the same sign."""
    capped: np.ndarray = np.where(np.abs(lots) > np.abs(most), most, lots)
    return capped
