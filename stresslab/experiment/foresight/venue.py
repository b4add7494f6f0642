"""Opens a market and tells theory who holds what in it."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.theory.venue import Venue
from stresslab.core.events import CROSS, ISOLATED
from stresslab.experiment.foresight.closures import closures
from stresslab.experiment.foresight.course import course
from stresslab.experiment.foresight.impact import impact, remembered
from stresslab.experiment.foresight.room import room
from stresslab.model import StressModel
from stresslab.model.world import World
from stresslab.scenario import Scenario
from stresslab.traders.agents import release

MICRO_USD = 1_000_000


def foresee(scenario: Scenario, *, seed: int, replicate: int, over_seconds: float = 0.0) -> Venue:
    """Open a market, quotes and all, and return what theory needs to know of it.

    Pools in breach close everything, or under a closure that measures legs the least that brings
    them back to the target, the leg with the largest maintenance margin first. An impact book moves
    by its law; an order book as an exponential law with the depth that rests within 1 % of the
    mark, bids for sales and offers for purchases. What an index has no weight in follows the book
    at once; a mark that is the index, or a median, does not follow it. Those who rest orders take
    what their limits allow (:func:`room`). Stop orders are those of the opening (:func:`course`).

    Parameters
    ----------
    over_seconds
        Time over which a cascade is taken to unfold evenly, in which books recover: an impact book
        with its resilience, an order book whenever its makers quote anew. 0 is a cascade within one
        step, which meets the first book only.
    """
    model = StressModel(scenario, seed=seed, replicate=replicate)
    world = model.world
    codes = _pools(world)
    accounts = world.clearing.accounts
    positions, is_cross = _legs(world, codes)
    due = closures(scenario, world, codes, positions, is_cross)
    nothing, displaced = np.zeros_like(positions), impact(scenario, world)
    kept = remembered(scenario, over_seconds)
    venue = Venue(
        assets=tuple(scenario.assets),
        prices=world.board.ticks.astype(np.float64),
        lot_value_usd=world.clearing.tables.unit_value / MICRO_USD,
        positions=positions,
        is_cross=is_cross,
        account=accounts.id[codes % accounts.id.size],
        n_accounts=accounts.id.size,
        closed_at=lambda prices: due(prices, nothing, np.zeros(len(codes))),
        factor=lambda flow: displaced(kept * flow),
        room=room(scenario, world),
        course=course(scenario, world, codes, positions, due, displaced, over_seconds),
    )
    release(model)
    return venue


def _pools(world: World) -> np.ndarray:
    """Return the codes of all pools that hold positions, cross pools first."""
    mode = world.clearing.accounts.mode
    n_accounts = mode.shape[1]
    is_held = world.clearing.accounts.position != 0
    cross = np.flatnonzero(((mode == CROSS) & is_held).any(axis=0))
    asset, row = np.nonzero((mode == ISOLATED) & is_held)
    codes: np.ndarray = np.concatenate([cross, (1 + asset) * n_accounts + row])
    return codes


def _legs(world: World, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return signed lots by pool and asset, and which pools are cross."""
    accounts = world.clearing.accounts
    n_assets, n_accounts = accounts.position.shape
    pool, row = codes // n_accounts, codes % n_accounts
    is_cross = pool == 0
    asset = np.arange(n_assets)
    in_cross = is_cross[:, np.newaxis] & (accounts.mode[:, row] == CROSS).T
    in_silo = pool[:, np.newaxis] == 1 + asset
    lots = np.where(in_cross | in_silo, accounts.position[:, row].T, 0)
    return lots.astype(np.float64), is_cross
