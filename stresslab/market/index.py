"""Exogenous index prices for a whole run, in ticks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.errors import ConfigError
from stresslab.core.exact import to_ticks
from stresslab.core.portable import exp
from stresslab.core.random import Streams, normal
from stresslab.market.bars import read_bars
from stresslab.market.rules import Asset, BrownianIndex, ReplayIndex, RevertingIndex, Shock

SECONDS_PER_DAY = 86_400.0


def index_path(
    assets: dict[str, Asset],
    model: Any,
    shocks: dict[str, Shock],
    n_steps: int,
    step_seconds: float,
    burn_in_seconds: float,
    streams: Streams,
) -> np.ndarray:
    """Return index prices in ticks, shape ``(n_steps + 1, n_assets)``; row 0 is before step 1.

    Shocks are timed from the end of the burn-in.

    Floats end here: every price is rounded to its tick at once, at least one tick.
    """
    relative = _relative_path(assets, model, n_steps, step_seconds, streams)
    seconds = np.arange(n_steps + 1) * step_seconds - burn_in_seconds
    for shock in shocks.values():
        places = [list(assets).index(name) for name in shock.assets]
        relative[:, places] *= shock_factor(shock, seconds)[:, None]
    initial = np.array([a.initial_ticks for a in assets.values()], np.float64)
    ticks = np.empty(relative.shape, np.int64)
    _round_to_ticks(relative * initial, ticks)
    return ticks


@kernel
def _round_to_ticks(prices: np.ndarray, ticks: np.ndarray) -> None:
    for step in range(prices.shape[0]):
        for a in range(prices.shape[1]):
            ticks[step, a] = max(1, to_ticks(prices[step, a], 1.0))


def shock_factor(shock: Shock, seconds: np.ndarray) -> np.ndarray:
    """Return what remains of the price at each time: a line from 1 to 1 - fall."""
    if shock.over_seconds == 0:
        progress = (seconds >= shock.at_seconds).astype(np.float64)
    else:
        progress = np.clip((seconds - shock.at_seconds) / shock.over_seconds, 0.0, 1.0)
    return 1.0 - shock.fall * progress


def _relative_path(
    assets: dict[str, Asset], model: Any, n_steps: int, step_seconds: float, streams: Streams
) -> np.ndarray:
    if isinstance(model, BrownianIndex):
        return _brownian(assets, model, n_steps, step_seconds, streams)
    path = np.ones((n_steps + 1, len(assets)))
    if isinstance(model, ReplayIndex):
        followed = [list(assets).index(name) for name in model.assets]
        path[:, followed] = _replay(model, n_steps, step_seconds)[:, None]
    return path


def _brownian(
    assets: dict[str, Asset],
    model: BrownianIndex,
    n_steps: int,
    step_seconds: float,
    streams: Streams,
) -> np.ndarray:
    names = list(assets)
    daily = np.array([model.volatility_by_asset.get(n, model.daily_volatility) for n in names])
    scale = daily * math.sqrt(step_seconds / SECONDS_PER_DAY)
    keys = streams["index"], streams["index_common"]
    path = np.ones((n_steps + 1, scale.size))
    if isinstance(model, RevertingIndex):
        kept = 2.0 ** (-step_seconds / model.half_life_seconds)
        _draw_reverting_path(path, scale, float(model.correlation), kept, *keys)
        return path
    _draw_path(path, scale, float(model.correlation), *keys)
    return path


@kernel
def _draw_path(
    path: np.ndarray,
    scale: np.ndarray,
    correlation: float,
    own_key: np.ndarray,
    common_key: np.ndarray,
) -> None:
    """One common and one own normal draw per asset and step: equal correlation of all pairs."""
    own_weight, common_weight = math.sqrt(1.0 - correlation), math.sqrt(correlation)
    for step in range(1, path.shape[0]):
        common = common_weight * normal(common_key, 0, step, 0)
        for a in range(scale.size):
            move = scale[a] * (own_weight * normal(own_key, a, step, 0) + common)
            path[step, a] = path[step - 1, a] * exp(move - 0.5 * scale[a] ** 2)


@kernel
def _draw_reverting_path(path, scale, correlation, kept, own_key, common_key):
    """Draw as above; the log distance from the initial price keeps a part and is moved."""
    own_weight, common_weight = math.sqrt(1.0 - correlation), math.sqrt(correlation)
    for a in range(scale.size):
        distance = 0.0
        for step in range(1, path.shape[0]):
            common = common_weight * normal(common_key, 0, step, 0)
            move = own_weight * normal(own_key, a, step, 0) + common
            distance = kept * distance + scale[a] * move
            path[step, a] = exp(distance)


def _replay(model: ReplayIndex, n_steps: int, step_seconds: float) -> np.ndarray:
    bars = read_bars(Path(model.file), model.bar_seconds)
    first = [b[0] for b in bars].index(model.start_time)
    needed = math.ceil(n_steps * step_seconds / model.bar_seconds)
    chosen = bars[first : first + needed]
    if len(chosen) < needed:
        raise ConfigError(
            f"market.index.file: {model.file} holds {len(chosen)} bars from start_time "
            f"{model.start_time}; the run needs {needed}"
        )
    times, prices = bar_points(chosen, model.bar_seconds)
    seconds = np.arange(n_steps + 1) * step_seconds
    return np.interp(seconds, times, prices) / prices[0]


def bar_points(
    bars: list[tuple[int, float, float, float, float]], bar_seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (seconds, prices) of the corners of the path: open, nearer extreme, other, close."""
    times, prices = [], []
    for place, (_, opening, high, low, close) in enumerate(bars):
        extremes = (low, high) if opening - low <= high - opening else (high, low)
        for corner, price in enumerate((opening, *extremes)):
            times.append((place + corner / 3.0) * bar_seconds)
            prices.append(price)
        times.append((place + 1) * bar_seconds - 1e-9)
        prices.append(close)
    return np.array(times), np.array(prices)
