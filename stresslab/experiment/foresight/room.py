"""What those who rest orders can take over from forced sellers before their limits are reached."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.theory.venue import Room, unlimited
from stresslab.market.books import ImpactBookRules
from stresslab.model.world import World
from stresslab.scenario import Scenario

MICRO_USD = 1_000_000


def room(scenario: Scenario, world: World) -> Room:
    """Return what the owners of resting orders can still buy and sell, as a function of the past.

    An account i of equity E_i that may hold l_i times its equity of an asset takes lots q of it
    while ``q P <= l_i E_i``. What it has bought falls with the price, and its equity with it. If
    all have bought in proportion to their limits, together they can still buy

        (sum l E - (sum l^2 E / sum l E) (paid - q P)) / P - q

    lots: with limits above 1 a fall takes away room faster than it lowers the price of a lot, and
    what was full stays full. An impact book, and forced orders that meet no book, know no limit.
    """
    if (
        isinstance(scenario.market.book, ImpactBookRules)
        or scenario.liquidation.feedback != "market"
    ):
        return unlimited
    limit, slope, held = _takers(world)
    lot_usd = world.clearing.tables.unit_value / MICRO_USD
    first = held * world.board.ticks * lot_usd

    def left(flow: np.ndarray, paid: np.ndarray, prices: np.ndarray) -> np.ndarray:
        value = prices * lot_usd
        lots = held - flow
        lost = first + paid - lots * value
        most = np.maximum(limit - slope * lost, 0.0) / value
        return np.maximum(np.stack([most - lots, most + lots]), 0.0)

    return left


def _takers(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return limits in USD, limits lost per USD lost, and lots held at first; (n_assets,) each."""
    columns, crowd = world.crowd.columns, world.crowd
    shape = columns.trades.shape
    limit, slope, held = np.zeros(shape[0]), np.zeros(shape[0]), np.zeros(shape[0])
    for group in crowd.groups:
        if not group.strategy.opens_books:
            continue
        rows = group.members
        times = group.strategy.largest_position(
            group.parameters, columns.leverage[rows], np.maximum(columns.n_traded[rows], 1)
        )
        equity = columns.wealth[rows] / MICRO_USD
        is_mine = columns.trades[:, rows] != 0
        limit += np.where(is_mine, times * equity, 0.0).sum(axis=1)
        slope += np.where(is_mine, times * times * equity, 0.0).sum(axis=1)
        held += np.where(is_mine, world.clearing.accounts.position[:, rows], 0).sum(axis=1)
    is_some = np.isfinite(limit) & (limit > 0)
    return limit, np.divide(slope, limit, out=np.zeros(shape[0]), where=is_some), held
