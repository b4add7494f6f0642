"""Contagion through common assets: what one forced seller does to others in large random markets.

Accounts hold random assets, equal amounts of each of theirs, all accounts as much in total. Who is
sold out of an asset lowers its price; who then has lost too much is sold out of everything. Where
accounts and assets are many, no loop of holdings is short, and contagion is a branching process
whose individuals are *assets hit by a first sale*, their type the number of assets that the seller
holds. Within a hit asset the sales of those who fall lower the price further, until nobody else
falls; each of them then hits its other assets.

The model is that of Caccioli, Shrestha, Moore and Farmer (2014), Stability analysis of financial
contagion due to overlapping portfolios, Journal of Banking and Finance 46, 233-245. They also use a
branching process; the types, the fall within an asset and the numbers here are our own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_SAMPLES = 20_000  # of a hit asset, for each type of seller
_LEAST_WEIGHT = 1e-6  # of a number of assets that still counts
_ROUNDS = 2000  # of the iteration to extinction


class OverlapPrediction(NamedTuple):
    """What the branching process says of one account sold out at the start."""

    ratio: float  # spectral radius: contagion can be large above 1
    frequency: float  # chance that it does not die out
    mean_fallen: float  # accounts that fall with it on average; infinite above a ratio of 1


def overlap_contagion(
    mean_assets: float, tolerance: float, impact: float, crowding: float = 1.0, seed: int = 0
) -> OverlapPrediction:
    """Return how contagion branches where accounts hold a Poisson number of assets, at least one.

    Parameters
    ----------
    mean_assets : of the Poisson number before those without assets are left out
    tolerance : share of its portfolio that an account can lose before it is sold out
    impact : an asset of which the share ``s`` has been sold has lost ``1 - exp(-impact * s)``
    crowding : accounts, with assets or without, per asset
    seed : of the sampled assets
    """
    degrees, weights = _degrees(mean_assets)
    rng = np.random.Generator(np.random.Philox(key=seed))
    fallen = np.stack([
        _fallen(k, mean_assets, crowding, degrees, tolerance, impact, rng) for k in degrees
    ])  # fmt: skip
    means = fallen.mean(axis=1)  # of what a sale by each type makes fall, by type
    offspring = means * (degrees - 1)
    ratio = float(np.max(np.abs(np.linalg.eigvals(offspring))))
    return OverlapPrediction(
        ratio,
        _frequency(fallen, degrees, weights) if ratio > 1 else 0.0,
        _mean_fallen(means, offspring, degrees, weights) if ratio < 1 else float("inf"),
    )


def _degrees(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of assets, from 1, and the share of accounts with each."""
    degrees = np.arange(1, 12 + int(4 * mean))
    logs = degrees * np.log(mean) - np.cumsum(np.log(degrees))
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    kept = weights > _LEAST_WEIGHT
    return degrees[kept], weights[kept]


def _fallen(
    seller: int, mean: float, crowding: float, degrees: np.ndarray, tolerance: float,
    impact: float, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Sample assets hit by a seller of a type; return how many fall of each type, (samples, K).

    An account holds an asset with a chance proportional to its number of assets, so the number of
    other holders is Poisson and each has one asset more than a Poisson number.
    """
    others = rng.poisson(crowding * mean, _SAMPLES)
    held = 1 + rng.poisson(mean, (_SAMPLES, max(1, int(others.max()))))
    is_there = np.arange(held.shape[1]) < others[:, None]
    parts = np.where(is_there, 1.0 / held, 0.0)  # of a portfolio, that each has in the asset
    whole = 1.0 / seller + parts.sum(axis=1)
    is_fallen = np.zeros_like(is_there)
    rows = np.arange(_SAMPLES)  # of samples in which somebody fell in the last round
    while rows.size:
        mine = parts[rows]
        sold = (1.0 / seller + (mine * is_fallen[rows]).sum(axis=1)) / whole[rows]
        lost = -np.expm1(-impact * sold)
        now = is_there[rows] & (mine * lost[:, None] > tolerance)
        is_new = (now != is_fallen[rows]).any(axis=1)
        is_fallen[rows] = now
        rows = rows[is_new]
    is_kept = is_fallen & (held >= degrees[0]) & (held <= degrees[-1])
    cell = np.nonzero(is_kept)[0] * degrees.size + held[is_kept] - degrees[0]
    return np.bincount(cell, minlength=_SAMPLES * degrees.size).reshape(_SAMPLES, -1)


def _frequency(fallen: np.ndarray, degrees: np.ndarray, weights: np.ndarray) -> float:
    """Return the chance that the process never ends, from its smallest fixed point."""
    kinds = [_kinds(samples) for samples in fallen]
    offspring = np.concatenate([kind for kind, _ in kinds]) * (degrees - 1)
    chances = np.concatenate([n for _, n in kinds]) / _SAMPLES
    starts = np.cumsum([0, *(len(n) for _, n in kinds)])[:-1]  # of each type of seller
    ends = np.zeros(degrees.size)  # chance that what a hit by each type starts dies out
    for _ in range(_ROUNDS):
        logs = np.log(np.maximum(ends, 1e-300))
        new = np.add.reduceat(chances * np.exp(offspring @ logs), starts)
        if np.max(np.abs(new - ends)) < 1e-10:
            break
        ends = new
    return float(1.0 - weights @ ends**degrees)


def _kinds(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows and how often each stands, found by a sum that tells them apart."""
    weights = np.random.Generator(np.random.Philox(key=0)).integers(2**50, size=samples.shape[1])
    _, first, times = np.unique(samples @ weights, return_index=True, return_counts=True)
    return samples[first], times


def _mean_fallen(
    means: np.ndarray, offspring: np.ndarray, degrees: np.ndarray, weights: np.ndarray
) -> float:
    """Return the mean number that fall after an average account, summed over generations."""
    hits = np.linalg.solve(np.eye(degrees.size) - offspring.T, weights * degrees)
    return float(hits @ means.sum(axis=1))
