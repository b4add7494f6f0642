"""What the rules of dynamic margin see of the market, gathered when they ask for it."""

from __future__ import annotations

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.margin.requirement.part import Sight
from stresslab.model.world import World

MICRO = 1_000_000


def sight_of(world: World, seconds: float) -> Sight:
    """Return what there is to see at the marks of a step, ``seconds`` after the burn-in."""

    def depth_usd() -> list[float]:
        marks = world.board.ticks
        thinner = np.minimum(*world.floor.depths(marks))
        return [float(usd) for usd in thinner * marks * world.clearing.tables.unit_value / MICRO]

    def interest() -> list[int]:
        lots = open_interest(world)
        return [int(x) for x in lots * world.board.ticks * world.clearing.tables.unit_value]

    return Sight(
        seconds, world.board.ticks.tolist(), world.oracle_now.tolist(), depth_usd, interest
    )


def open_interest(world: World) -> np.ndarray:
    """Return the lots that traders hold long, by asset."""
    return count_open_interest(world.clearing.accounts.position)


def count_open_interest(position: np.ndarray) -> np.ndarray:
    """Return the long lots in positions (A, N), by asset."""
    lots = np.zeros(len(position), np.int64)
    _sum_longs(position, lots)
    return lots


@kernel
def _sum_longs(position: np.ndarray, lots: np.ndarray) -> None:
    for a in range(lots.size):
        long = 0  # no store in the loop, so that it is done many at a time
        for held in position[a]:
            long += max(held, 0)
        lots[a] = long
