"""Venues in which theory has a closed form: equal longs whose liquidation prices fill a band."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stresslab.contagion.theory import Venue

PRICE = 1_000_000.0  # ticks; a lot sold moves the price by one


def even_field(ratio: float, longs: int, gap: float = 0.0) -> Venue:
    """Return one asset whose longs, one lot each, lie ``gap`` ticks and more below the price."""
    depths = gap + (np.arange(longs) + 0.5) / ratio
    positions = np.ones((longs, 1))

    def closed_at(prices: np.ndarray) -> np.ndarray:
        return positions * (PRICE - prices[0] > depths)[:, np.newaxis]

    return Venue(
        assets=("A",),
        prices=np.array([PRICE]),
        lot_value_usd=np.ones(1),
        positions=positions,
        is_cross=np.ones(longs, bool),
        account=np.arange(longs),
        n_accounts=longs,
        closed_at=closed_at,
        factor=lambda flow: 1.0 + flow / PRICE,
    )


def mirrored(venue: Venue) -> Venue:
    """Return the same with shorts above the price instead of longs below it."""

    def closed_at(prices: np.ndarray) -> np.ndarray:
        return -venue.closed_at(2 * venue.prices - prices)

    return replace(venue, positions=-venue.positions, closed_at=closed_at)


def two_assets(ratios: np.ndarray) -> Venue:
    """Return two assets; ``ratios[a, b]`` longs of b go in a tick of a, forever on."""
    positions = np.ones((4, 2)) * 1e9

    def closed_at(prices: np.ndarray) -> np.ndarray:
        fallen = np.maximum(PRICE - prices, 0.0)
        closed = np.zeros((4, 2))
        closed[0] = fallen @ ratios
        return closed

    return Venue(
        assets=("A", "B"),
        prices=np.full(2, PRICE),
        lot_value_usd=np.ones(2),
        positions=positions,
        is_cross=np.ones(4, bool),
        account=np.arange(4),
        n_accounts=4,
        closed_at=closed_at,
        factor=lambda flow: 1.0 + flow / PRICE,
    )
