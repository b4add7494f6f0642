"""What liquidation does to prices and books: overshoot, recovery, depth, open interest."""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.columns import as_int, ratio
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion

#: A mark within this fraction of the index has recovered.
RECOVERED_WITHIN = 0.01


def overshoot(run: Contagion) -> float:
    """Return the largest fall of a mark below its index since the shock, over assets."""
    return _largest(_overshoots(run).max(axis=0, initial=0.0))


def overshoot_shocked(run: Contagion) -> float:
    """Return the same over shocked assets; NaN if there is none."""
    return _largest(_overshoots(run).max(axis=0, initial=0.0)[run.is_shocked])


def overshoot_unshocked(run: Contagion) -> float:
    """Return the same over unshocked assets; NaN if there is none."""
    return _largest(_overshoots(run).max(axis=0, initial=0.0)[~run.is_shocked])


def recovery_seconds(run: Contagion) -> float:
    """Return the time from the largest overshoot until that mark is within 1 % of the index.

    0 if no overshoot exceeded 1 %; NaN if the run ends before.
    """
    return _recovery(run, np.ones(run.n_assets, bool))


def recovery_shocked_seconds(run: Contagion) -> float:
    """Return the same for the shocked asset with the largest overshoot; NaN if there is none."""
    return _recovery(run, run.is_shocked)


def depth_minimum_share(run: Contagion) -> float:
    """Return the lowest bid depth since the shock over its mean before, least over assets.

    Without a step before the shock the first step stands for "before". NaN without a book.
    """
    return _least_depth(run, np.ones(run.n_assets, bool))


def depth_minimum_shocked_share(run: Contagion) -> float:
    """Return the same over shocked assets."""
    return _least_depth(run, run.is_shocked)


def open_interest_fall(run: Contagion) -> float:
    """Return the largest fall of open interest as a fraction, at initial prices; spot left out."""
    values = run.initial_prices * run.unit_values * _is_contract(run)
    open_interest = run.paths.open_interest[run.shock_row :] @ values
    initial = int(run.initial_open_interest[_is_contract(run)].sum())
    if not len(open_interest) or initial <= 0:
        return math.nan
    return max(0.0, 1 - int(open_interest.min()) / initial)


def price_fall(run: Contagion) -> float:
    """Return the largest fall of a mark below its price before the first step, over assets."""
    falls = 1 - run.paths.lowest_mark / np.maximum(run.initial_prices, 1)
    return _largest(np.maximum(falls, 0.0).max(axis=0, initial=0.0))


def _overshoots(run: Contagion) -> np.ndarray:
    """Return (index - lowest mark) / index by step since the shock and asset, at least 0."""
    index, mark = run.paths.index_price[run.shock_row :], run.paths.lowest_mark[run.shock_row :]
    below = np.divide(index - mark, index, out=np.zeros(index.shape), where=index > 0)
    return np.maximum(below, 0.0)


def _largest(by_asset: np.ndarray) -> float:
    return float(by_asset.max()) if len(by_asset) else math.nan


def _recovery(run: Contagion, is_asset: np.ndarray) -> float:
    below = _overshoots(run)
    if not is_asset.any() or not len(below):
        return math.nan
    asset = int(np.flatnonzero(is_asset)[np.argmax(below[:, is_asset].max(axis=0))])
    worst = int(np.argmax(below[:, asset]))
    if below[worst, asset] <= RECOVERED_WITHIN:
        return 0.0
    index = run.paths.index_price[run.shock_row + worst :, asset]
    mark = run.paths.mark_price[run.shock_row + worst :, asset]
    recovered = np.flatnonzero(np.abs(mark - index) <= RECOVERED_WITHIN * index)
    return int(recovered[0]) * run.step_seconds if len(recovered) else math.nan


def _least_depth(run: Contagion, is_asset: np.ndarray) -> float:
    depth = run.paths.bid_depth[:, is_asset]
    if not depth.size:
        return math.nan
    before = depth[: max(run.shock_row, 1)]
    least = depth[run.shock_row :].min(axis=0, initial=np.iinfo(np.int64).max)
    normal = before.sum(axis=0) / len(before)
    has_book = normal > 0
    return float((least[has_book] / normal[has_book]).min()) if has_book.any() else math.nan


def _is_contract(run: Contagion) -> np.ndarray:
    """Tell which assets have an open interest: all but spot."""
    rows = run.tables["assets"]
    return np.asarray(rows["kind"] != "spot", dtype=bool)[np.argsort(as_int(rows["asset"]))]


def forced_volume_share(run: Contagion) -> float:
    """Return forced volume over all volume, at initial prices; NaN without volume."""
    prices = run.initial_prices * run.unit_values
    volume, forced = (int((lots @ prices).sum()) for lots in (run.paths.volume, run.paths.forced))
    return ratio(forced, volume)


MEASURES = (
    Measure("overshoot", "1", "Largest fall of a mark below its index", overshoot),
    Measure("overshoot_shocked", "1", "The same over shocked assets", overshoot_shocked),
    Measure("overshoot_unshocked", "1", "The same over unshocked assets", overshoot_unshocked),
    Measure(
        "recovery_seconds", "s", "Time from the largest overshoot to recovery", recovery_seconds
    ),
    Measure(
        "recovery_shocked_seconds",
        "s",
        "The same for the shocked asset with the largest overshoot",
        recovery_shocked_seconds,
    ),
    Measure(
        "depth_minimum_share", "1", "Least bid depth over its mean before", depth_minimum_share
    ),
    Measure(
        "depth_minimum_shocked_share",
        "1",
        "The same over shocked assets",
        depth_minimum_shocked_share,
    ),
    Measure("open_interest_fall", "1", "Largest fall of open interest", open_interest_fall),
    Measure("price_fall", "1", "Largest fall of a mark", price_fall),
    Measure("forced_volume_share", "1", "Share of volume that was forced", forced_volume_share),
)
