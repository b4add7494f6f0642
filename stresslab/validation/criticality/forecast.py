"""What theory says of a market before anything happens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stresslab.contagion.networks.debtrank import spectral_radius
from stresslab.contagion.next_generation import type_names
from stresslab.contagion.theory import (
    Venue,
    branches,
    cascade,
    distance_to_cascade,
    growth_matrix,
    liquidation_map,
    radius_at,
    unfold,
)
from stresslab.validation.criticality.sweep import Sweep

#: A shock is critical if its cascade takes a mark this far below the index: 5 % of it.
RUNAWAY = 0.05
#: Moves of one mark at which the liquidation map is told.
MOVES = (-0.4, -0.3, -0.2, -0.15, -0.1, -0.05, -0.02, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)


class Prediction(NamedTuple):
    """What theory says of one replicate, by shock size; (n_sizes,) each."""

    forced_notional_usd: np.ndarray
    share_accounts_liquidated: np.ndarray
    price_fall: np.ndarray


@dataclass(frozen=True)
class Forecast:
    """What theory says of the first replicate's market, and of all where a list says so."""

    types: list[str]
    moves: tuple[float, ...]
    map_usd: dict[str, np.ndarray]  # asset that moves -> (n_moves, n_types)
    matrix: np.ndarray  # next-generation matrix over the shock's length
    radius: float  # its spectral radius
    radius_within_step: float  # the same where books do not recover
    radii: dict[float, float]  # the same at rest after a shock, by size, where books recover
    bistable: tuple[float, ...]  # sizes with two ends, where books do not recover
    radius_each: list[float]  # spectral radius of each replicate's market
    two_ends: dict[float, int]  # replicates with two ends where books do not recover, by size
    critical: list[float]  # critical shock of each replicate, infinite if there is none


def forecast(sweep: Sweep) -> Forecast:
    """Return the liquidation map, the next-generation matrix and its radius, and hysteresis."""
    venue, still = sweep.venue(0), sweep.venue(0, 0.0)
    nothing = np.zeros_like(venue.positions)
    matrix = growth_matrix(venue, venue.prices, nothing)
    within = spectral_radius(growth_matrix(still, still.prices, nothing))
    moves = np.array(MOVES)
    maps = {name: liquidation_map(venue, a, moves) for a, name in enumerate(venue.assets)}
    venues = [venue, *(sweep.venue(number) for number in range(1, sweep.replicates))]
    stills = [still, *(sweep.venue(number, 0.0) for number in range(1, sweep.replicates))]
    ends = [branches(each, sweep.shocked, sweep.sizes).is_bistable for each in stills]
    return Forecast(
        types=type_names(list(venue.assets)),
        moves=MOVES,
        map_usd=maps,
        matrix=matrix,
        radius=spectral_radius(matrix),
        radius_within_step=within,
        radii=_radii(venue, sweep),
        bistable=tuple(np.asarray(sweep.sizes)[ends[0]].tolist()),
        radius_each=[_radius(each) for each in venues],
        two_ends=dict(zip(sweep.sizes, np.sum(ends, axis=0).tolist(), strict=True)),
        critical=[distance_to_cascade(each, sweep.shocked, RUNAWAY) for each in venues],
    )


def _radii(venue: Venue, sweep: Sweep) -> dict[float, float]:
    states = cascade(venue, sweep.shocked, sweep.sizes)
    return {state.shock: radius_at(venue, state.prices, state.closed) for state in states}


def _radius(venue: Venue) -> float:
    return radius_at(venue, venue.prices, np.zeros_like(venue.positions))


def predict(venue: Venue, shocked: np.ndarray, sizes: Sequence[float]) -> Prediction:
    """Return what theory expects of shocks of these sizes, rising."""
    course = venue.course
    if course is None:
        states = cascade(venue, shocked, sizes)
    else:
        states = [unfold(venue, course, shocked, size) for size in sizes]
    falls = [state.falls(venue) for state in states]
    return Prediction(
        np.array([math.fsum(state.notional.tolist()) for state in states]),
        np.array([state.accounts(venue) / venue.n_accounts for state in states]),
        np.array([fall.max() for fall in falls]),
    )


def critical_shock(sizes: Sequence[float], overshoot: Sequence[float]) -> float:
    """Return the least size whose overshoot is a runaway; infinite if none of them is.

    >>> critical_shock([0.1, 0.2, 0.3], [0.0, 0.06, 0.02])
    0.2
    """
    reached = [s for s, below in zip(sizes, overshoot, strict=True) if below > RUNAWAY]
    return min(reached, default=math.inf)
