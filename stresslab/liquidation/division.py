"""How an amount is divided among those who must give: in a queue, or by shares.

An amount is lots to be taken over or micro-USD to be paid; nobody gives more than ``most``, and the
parts add up to the amount, or to all that can be given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from stresslab.core.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np

    from stresslab.core import exact
else:
    np, exact = lazy_module("numpy"), lazy_module("stresslab.core.exact")


class Contributors(NamedTuple):
    """Those who may have to give, one row a pool, in order of account id; money in micro-USD.

    ``side``, ``lots``, ``value``, ``cost`` and ``profit`` are those of the pool's position in the
    market that made the loss; they are 0 where it has none.
    """

    side: np.ndarray  # (n,) 1 long, -1 short
    lots: np.ndarray  # (n,) without sign
    value: np.ndarray  # (n,) at the mark, without sign
    cost: np.ndarray  # (n,) paid for the position, without sign
    profit: np.ndarray  # (n,) less what was seized of it
    equity: np.ndarray  # (n,) of the pool
    maintenance: np.ndarray  # (n,) of the pool
    notional: np.ndarray  # (n,) gross, of the pool
    wallet: np.ndarray  # (n,) equity of the pool without the profit of its positions
    most: np.ndarray  # (n,) that each has to give, in the unit of the amount
    bearable: np.ndarray  # (n,) of it that the pool's equity can bear


class Division(NamedTuple):
    """Whom to ask, one after the other, until the amount is given."""

    place: np.ndarray  # (k,) rows of the contributors
    most: np.ndarray  # (k,) that each is asked for at most


class Queue(ABC):
    """Policies that ask whoever ranks first for all it has; the next when that is not enough."""

    @abstractmethod
    def score(self, contributors: Contributors) -> np.ndarray:
        """Return the rank score of each row; the highest is asked first, ties by account id.

        A score depends on what its own row is and holds, not on other rows or on the deficit.
        """

    def divide(self, amount: int, contributors: Contributors) -> Division:
        """Return everybody in order of rank."""
        place = np.argsort(-self.score(contributors), kind="stable")
        return Division(place, contributors.most[place])


class Sharing(ABC):
    """Policies that ask everybody at once, in proportion to a weight."""

    @abstractmethod
    def weights(self, contributors: Contributors) -> np.ndarray:
        """Return the weight of each row, integers; nobody below 0 counts."""

    def divide(self, amount: int, contributors: Contributors) -> Division:
        """Return everybody with its share, in order of account id."""
        shares = share_out(amount, self.weights(contributors), contributors.bearable)
        return Division(np.arange(shares.size), shares)


def share_out(amount: int, weights: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Divide an amount in proportion to weights, nobody giving more than its ``most``.

    What one cannot give is shared by the others in proportion. Shares are whole units; those left
    over go to the largest remainders, ties to the earlier row. When everybody with a weight has
    given all, the others give the rest in proportion to what they have.

    >>> share_out(10, np.array([3, 1, 1]), np.array([4, 9, 9])).tolist()
    [4, 3, 3]
    """
    shares = np.zeros_like(most)
    left = min(amount, int(most.sum()))
    has_weight = weights > 0
    for group, scale in ((has_weight, weights), (~has_weight, most)):
        asked = np.flatnonzero(group & (most > 0))
        while left > 0 and asked.size:
            part = exact.apportion(left, scale[asked])
            is_too_much = part > most[asked]
            if not is_too_much.any():
                shares[asked] = part
                return shares
            full = asked[is_too_much]
            shares[full] = most[full]
            left -= int(most[full].sum())
            asked = asked[~is_too_much]
    return shares


def least_largest_share(amount: int, weights: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Divide an amount in whole units so that the largest part of a weight is the smallest.

    Then the next largest, and so on: each unit goes where the part of the weight that is then
    taken is least (the highest averages of D'Hondt and Jefferson), ties to the earlier row. Those
    without weight give last, in proportion to what they have.

    >>> least_largest_share(3, np.array([70, 16, 14]), np.array([9, 9, 9])).tolist()
    [3, 0, 0]
    >>> share_out(3, np.array([70, 16, 14]), np.array([9, 9, 9])).tolist()
    [2, 1, 0]
    """
    has_weight = weights > 0
    if amount >= int(most[has_weight].sum()):
        return share_out(amount, weights, most)
    scale = np.where(has_weight, weights, 0).astype(np.float64)
    low, high = 0.0, float(np.max(most[has_weight] / scale[has_weight]))
    while low < (middle := (low + high) / 2) < high:
        if int(_taken(middle, scale, most).sum()) <= amount:
            low = middle
        else:
            high = middle
    shares = _taken(low, scale, most)
    more = _taken(high, scale, most) - shares
    left = amount - int(shares.sum())
    return shares + np.clip(left - (np.cumsum(more) - more), 0, more)


def _taken(level: float, scale: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the whole units that are within a part of each weight."""
    return np.minimum(most, np.floor(level * scale).astype(np.int64))


def whole_weights(weights: np.ndarray) -> np.ndarray:
    """Return weights that are no integers as integers, the largest 2^40, none negative."""
    largest = float(weights.max(initial=0.0))
    if largest <= 0.0:
        return np.zeros(weights.size, np.int64)
    return np.rint(np.maximum(weights, 0.0) / largest * 2.0**40).astype(np.int64)
