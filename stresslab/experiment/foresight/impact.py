"""What closing does to marks: the law of an impact book, or the depth of an order book."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stresslab.market.books import ImpactBookRules
from stresslab.market.impact.law import ONE_PERCENT
from stresslab.model.world import World
from stresslab.scenario import Scenario
from stresslab.traders.rules import TraderGroup
from stresslab.traders.strategies import STRATEGIES, kind_of

#: Lots that displace a book (n_assets,), negative is sold -> mark over index (n_assets,).
Factor = Callable[[np.ndarray], np.ndarray]


def impact(scenario: Scenario, world: World) -> Factor:
    """Return mark over index as a function of the lots that displace the book."""
    weight = _weight_of_book(scenario)
    bids, asks = world.floor.depths(world.board.ticks)
    book = scenario.market.book
    if isinstance(book, ImpactBookRules):
        law, shape = book.law, np.array(book.law.shape(), np.float64)
        depth = np.asarray(world.floor.books.depth_lots, np.float64)

        def displaced(flow: np.ndarray) -> np.ndarray:
            x = (flow / depth).tolist()
            return np.exp([law.displacement(part, shape) for part in x])

    else:

        def displaced(flow: np.ndarray) -> np.ndarray:
            depth = np.maximum(np.where(flow < 0, bids, asks), 1)
            moved: np.ndarray = np.exp(ONE_PERCENT * flow / depth)
            return moved

    def factor(flow: np.ndarray) -> np.ndarray:
        return 1.0 + weight * (displaced(flow) - 1.0)

    return factor


def kept_in_a_step(scenario: Scenario) -> float:
    """Return what part of a displacement is left one step later."""
    return math.exp(-_rate_of_recovery(scenario) * scenario.step_seconds)


def remembered(scenario: Scenario, over_seconds: float) -> float:
    """Return what part of an even flow over some time still displaces the book at its end.

    A flow that is forgotten at the rate k, even over the time T, leaves ``(1 - exp(-k T)) / (k T)``
    of itself: the integral of Obizhaeva and Wang's (2013) decay.
    """
    decay = _rate_of_recovery(scenario) * over_seconds
    return -math.expm1(-decay) / decay if decay > 0 else 1.0


def _rate_of_recovery(scenario: Scenario) -> float:
    """Return the share of displaced flow that is forgotten, per second."""
    book = scenario.market.book
    if isinstance(book, ImpactBookRules):
        half_life = book.law.resilience_half_life_seconds
        return math.log(2.0) / half_life if half_life else 0.0
    makers = [
        group
        for group in scenario.traders.values()
        if STRATEGIES[kind_of(group.strategy)].is_post_only
    ]
    n_makers = sum(_size(group) for group in makers)
    turns = math.fsum(
        _size(group) / max(group.seconds_between_turns, scenario.step_seconds) for group in makers
    )
    return turns / n_makers if n_makers else 0.0


def _size(group: TraderGroup) -> int:
    return group.count or len(group.accounts)


def _weight_of_book(scenario: Scenario) -> float:
    """Return what part of a displacement of the book the mark takes over."""
    mark = scenario.market.mark
    if scenario.liquidation.feedback != "market" or mark.rule in ("index", "median"):
        return 0.0
    return 1.0 - mark.index_weight if mark.rule == "blend" else 1.0
