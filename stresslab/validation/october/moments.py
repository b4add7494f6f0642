"""The measurements of the day, taken from the event log of a run in the same way."""

from __future__ import annotations

import numpy as np

from stresslab.results.frames import Tables
from stresslab.validation.october import fills
from stresslab.validation.october.fills import Forced

TIMES = (61.0, 120.0, 180.0, 240.0, 300.0)  # seconds after the first liquidation
WAVE_GAP = 5.0  # s without deleveraging between two waves
_BASE = "BTC"


def moments(tables: Tables) -> dict[str, float]:
    """Return every fact of the day by name, as this run has it; NaN where nothing happened."""
    forced = fills.forced(tables)
    return {
        **_shares_of_positions(tables, forced),
        **_sizes(forced),
        **_clock(forced),
        **_winners(forced),
        **_falls(tables, forced.names),
    }


def by_asset(tables: Tables) -> dict[str, tuple[float, float, float]]:
    """Return notional closed by force in USD, its deleveraged part and the fall, by perpetual."""
    forced = fills.forced(tables)
    falls = _largest_falls(tables)
    found = {}
    for place, name in enumerate(forced.names):
        market = forced.market_usd[forced.market_asset == place].sum()
        adl = forced.adl_usd[forced.adl_asset == place].sum()
        found[name] = (float(market + adl), _part(adl, market + adl), float(falls[place]))
    return found


def gini(values: np.ndarray) -> float:
    """Return the Gini coefficient of amounts.

    >>> gini(np.array([1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 4.0]))
    (0.0, 0.75)
    """
    ordered = np.sort(values)
    total = ordered.sum()
    if total <= 0:
        return np.nan
    rank = np.arange(1, ordered.size + 1)
    return float((2 * rank - ordered.size - 1) @ ordered / (ordered.size * total))


def _shares_of_positions(tables: Tables, forced: Forced) -> dict[str, float]:
    """Return how many of the BTC positions with a fill were liquidated or deleveraged."""
    base = forced.names.index(_BASE)
    rows = tables["positions"]
    held = (rows["asset"] == base) & (rows["initial_lots"] != 0)
    account, side = rows["account"][held], np.sign(rows["initial_lots"][held])
    is_liquidated = np.isin(account, forced.liquidated_accounts(base))
    is_deleveraged = np.isin(account, forced.adl_account[forced.adl_asset == base])
    is_traded = rows["initial_lots"][held] != rows["final_lots"][held]
    has_fill = is_traded | is_liquidated | is_deleveraged
    long, short = has_fill & (side > 0), has_fill & (side < 0)
    return {
        "btc_longs_liquidated": _part((is_liquidated & long).sum(), long.sum()),
        "btc_shorts_deleveraged": _part((is_deleveraged & short).sum(), short.sum()),
    }


def _sizes(forced: Forced) -> dict[str, float]:
    market, adl = (
        np.bincount(place, usd, len(forced.names))
        for place, usd in (
            (forced.market_asset, forced.market_usd),
            (forced.adl_asset, forced.adl_usd),
        )
    )
    base, every = forced.names.index(_BASE), market + adl
    return {
        "adl_share": _part(adl.sum(), every.sum()),
        "btc_adl_share": _part(adl[base], every[base]),
        "top_three_assets": _part(np.sort(every)[-3:].sum(), every.sum()),
    }


def _clock(forced: Forced) -> dict[str, float]:
    """Return when things happened, in seconds after the first liquidation."""
    market, adl = forced.market_seconds, forced.adl_seconds
    if not market.size or not adl.size:
        return {}
    waves = wave_of(adl)
    return {
        "half_life_seconds": float(np.sort(market)[(market.size - 1) // 2]),
        "adl_delay_seconds": float(adl.min()),
        "adl_waves": float(waves.max() + 1),
        "largest_wave": float(np.bincount(waves).max() / adl.size),
        **{f"market_by_{time:.0f}_seconds": float((market <= time).mean()) for time in TIMES},
        **{f"adl_by_{time:.0f}_seconds": float((adl <= time).mean()) for time in TIMES},
    }


def wave_of(seconds: np.ndarray) -> np.ndarray:
    """Return the number of the wave of each time, from 0; a wave ends with a gap.

    >>> wave_of(np.array([0.0, 4.0, 30.0, 9.0])).tolist()
    [0, 0, 1, 0]
    """
    order = np.argsort(seconds, kind="stable")
    numbers = np.zeros(seconds.size, np.int64)
    numbers[order[1:]] = np.cumsum(np.diff(seconds[order]) > WAVE_GAP)
    return numbers


def _winners(forced: Forced) -> dict[str, float]:
    if not forced.adl_usd.size:
        return {}
    _, user = np.unique(forced.adl_account, return_inverse=True)
    notional = np.bincount(user, forced.adl_usd)
    waves = wave_of(forced.adl_seconds)
    needed = float(np.abs(forced.adl_loss_usd).sum())
    return {
        "adl_gini": gini(notional),
        "top_user": float(notional.max() / notional.sum()),
        "overshoot_over_needed": _part(forced.taken_by_waves(waves) - needed, needed),
    }


def _falls(tables: Tables, names: tuple[str, ...]) -> dict[str, float]:
    falls = _largest_falls(tables)[: len(names)]
    base = names.index(_BASE)
    others = np.delete(falls, base)
    ratio = _part(float(np.median(others)), falls[base])
    return {"btc_fall": float(falls[base]), "alt_loss_ratio": ratio}


def _largest_falls(tables: Tables) -> np.ndarray:
    """Return the fall of each mark from its highest before the low to its low, as a part."""
    path = tables["path"]
    n_assets = int(path["asset"].max()) + 1
    marks = path["mark_ticks"].reshape(-1, n_assets).astype(float)
    return np.asarray((1.0 - marks / np.maximum.accumulate(marks)).max(axis=0))


def _part(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan
