"""Early-warning indicators: what a venue could have seen at the end of every step.

They rest on the liquidation map of the first positions and on the path of marks, depth and open
interest; who has left or come since is not in the map.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int
from stresslab.contagion.projection import Contagion

#: Reach of density and radius beyond the mark, as of the word depth.
WITHIN = 0.01


def radius(run: Contagion) -> np.ndarray:
    """Return notional due within 1 % below the mark over the bids there, largest asset, (n_steps,).

    The spectral radius where every asset has its own pools: closing a depth moves the mark by 1 %.
    """
    return _largest(_due(run), _bids(run))


def density(run: Contagion) -> np.ndarray:
    """Return notional due within 1 % below the mark over open interest, largest, (n_steps,)."""
    return _largest(_due(run), _value(run, run.paths.open_interest))


def leverage(run: Contagion) -> np.ndarray:
    """Return open interest at the mark over the wealth of all accounts, (n_steps,)."""
    wealth = int(as_int(run.tables["accounts"]["wealth_micro_usd"]).sum()) / MICRO_USD
    total = _value(run, run.paths.open_interest).sum(axis=1)
    return total / wealth if wealth > 0 else np.zeros(len(total))


def crowding(run: Contagion) -> np.ndarray:
    """Return open interest over bids within 1 % of the mark, largest asset, (n_steps,)."""
    return _largest(_value(run, run.paths.open_interest), _bids(run))


def thinness(run: Contagion) -> np.ndarray:
    """Return by how much the bids of the worst asset fell short of the first step's, (n_steps,)."""
    depth = run.paths.bid_depth.astype(np.float64)
    if not depth.size:
        return np.zeros(len(depth))
    first = np.where(depth[0] > 0, depth[0], np.inf)
    missing: np.ndarray = np.maximum(1.0 - depth / first, 0.0)
    return np.where(depth[0] > 0, missing, 0.0).max(axis=1)


#: Name of each indicator and its function; all of them rise with danger.
INDICATORS: dict[str, Callable[[Contagion], np.ndarray]] = {
    "radius": radius,
    "density": density,
    "leverage": leverage,
    "crowding": crowding,
    "thinness": thinness,
}


def lead_seconds(run: Contagion, values: np.ndarray, level: float, step: int) -> float:
    """Return the time from the first step at or above a level to ``step``; NaN if never before.

    Parameters
    ----------
    values : an indicator of the run, (n_steps,)
    step : step of the event that was to be warned of
    """
    alarms = run.paths.step[: len(values)][np.asarray(values) >= level]
    before = alarms[alarms < step]
    return float((step - before[0]) * run.step_seconds) if len(before) else float("nan")


def _bids(run: Contagion) -> np.ndarray:
    """Return bids within 1 % of the mark, (n_steps, n_assets), USD; an empty book counts one lot.

    So that a ratio to them is largest where nobody bids, and a number.
    """
    return _value(run, np.maximum(run.paths.bid_depth, 1))


def _value(run: Contagion, lots: np.ndarray) -> np.ndarray:
    value: np.ndarray = lots * run.paths.mark_price * run.unit_values / MICRO_USD
    return value


def _due(run: Contagion) -> np.ndarray:
    """Return notional of pools that breach within 1 % below the mark, (n_steps, n_assets), USD."""
    marks = run.paths.mark_price
    fallen = np.maximum(1.0 - marks / np.maximum(run.initial_prices, 1), 0.0)
    reached = 1.0 - (1.0 - fallen) * (1.0 - WITHIN)
    due = np.zeros(fallen.shape)
    for asset in range(run.n_assets):
        falls, notional = _falls(run, asset)
        due[:, asset] = np.interp(reached[:, asset], falls, notional)
        due[:, asset] -= np.interp(fallen[:, asset], falls, notional)
    return due


def _falls(run: Contagion, asset: int) -> tuple[np.ndarray, np.ndarray]:
    """Return falls of one mark, rising from 0, and the notional in breach by each."""
    rows = run.tables["liquidation_map"]
    is_mine = (as_int(rows["asset"]) == asset) & (rows["move"] < 0)
    falls, place = np.unique(-rows["move"][is_mine], return_inverse=True)
    sums = np.zeros(len(falls), np.int64)
    np.add.at(sums, place, as_int(rows["notional_micro_usd"])[is_mine])
    start = [0.0] if not len(falls) else [0.0, max(falls[0] - WITHIN, 0.0)]
    below = np.concatenate([start, falls])
    return below, np.concatenate([np.zeros(len(start)), np.maximum.accumulate(sums) / MICRO_USD])


def _largest(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the largest ratio over assets; an asset with nothing to compare with counts 0."""
    if not part.shape[1]:
        return np.zeros(len(part))
    ratio = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return ratio.max(axis=1)
