"""How a shock unfolds in a scenario: its steps, the book that renews itself, stop orders."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.theory.course import Course, Due
from stresslab.experiment.foresight.impact import Factor, kept_in_a_step
from stresslab.market.books import ImpactBookRules
from stresslab.model.world import World
from stresslab.scenario import Scenario


def course(
    scenario: Scenario,
    world: World,
    codes: np.ndarray,
    positions: np.ndarray,
    due: Due,
    factor: Factor,
    over_seconds: float,
) -> Course:
    """Return the course of a shock that takes some time, as it can be told before the first step.

    Stop orders stand in the opening, and so does what rests in the book. An impact book, and forced
    orders that meet no book, know no limit.

    Parameters
    ----------
    codes : (n_pools,) codes of the pools
    positions : (n_pools, n_assets) signed lots
    """
    row = codes % world.clearing.accounts.id.size
    stops = np.where(positions != 0, world.crowd.columns.stop_ticks[:, row].T, 0)
    return Course(
        steps=max(1, round(over_seconds / scenario.step_seconds)),
        after=_after(scenario),
        kept=kept_in_a_step(scenario),
        factor=factor,
        resting=_resting(scenario, world),
        stops=stops.astype(np.float64),
        due=due,
    )


def _after(scenario: Scenario) -> int:
    """Return the steps between the end of the last shock and that of the scenario."""
    ends = [shock.at_seconds + shock.over_seconds for shock in scenario.market.shocks.values()]
    left = scenario.duration_seconds - max(ends, default=scenario.duration_seconds)
    return max(0, int(left / scenario.step_seconds))


def _resting(scenario: Scenario, world: World) -> np.ndarray:
    """Return the lots bid and offered before the first step, (2, n_assets)."""
    books = world.floor.books
    if (
        isinstance(scenario.market.book, ImpactBookRules)
        or scenario.liquidation.feedback != "market"
    ):
        return np.full((2, len(scenario.assets)), np.inf)
    lots = np.stack([books.resting_buy.sum(axis=1), books.resting_sell.sum(axis=1)])
    return lots.astype(np.float64)
