"""The fitted market against what it was fitted to, and against what it was not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr

from stresslab.analysis.intervals import bootstrap
from stresslab.validation.october import market
from stresslab.validation.october.facts import Asset, Fact, assets, facts
from stresslab.validation.october.moments import TIMES, by_asset, moments
from stresslab.validation.verdicts import Distance, Panel, Series

_CHANCE = {10: 0.564, 11: 0.536}  # of Spearman's rank correlation, one-sided 5 %, by assets
_FITTED, _PREDICTED = "fitted", "predicted"
_ARMS = {"by_profit": "under pro rata by profit", "by_equity": "under pro rata by equity"}


class Told(NamedTuple):
    """Distances and charts of the fitted market."""

    distances: tuple[Distance, ...]
    panels: tuple[Panel, ...]
    deleveraged: int  # replicates in which some winner was


class _Run(NamedTuple):
    moments: Mapping[str, float]
    #: Asset -> (forced notional in USD, its deleveraged part, fall).
    assets: Mapping[str, tuple[float, float, float]]


def told(seed: int, replicates: int, arms: int) -> Told:
    """Run the market so often, and so often under other policies, and tell the distances."""
    runs = [_run(seed, replicate) for replicate in range(replicates)]
    distances = [
        *(_of_fact(runs, fact, use) for use in ("calibration", "prediction")
          for fact in facts(use)),
        *_of_assets(runs),
        *_of_arms(seed, arms),
    ]  # fmt: skip
    panels = (_asset_panel(runs), _clock_panel(runs))
    return Told(tuple(distances), panels, _deleveraged(runs))


def deleveraged_without_feedback(seed: int, replicates: int) -> int:
    """Return in how many replicates a winner is deleveraged where forced orders move no price."""
    changes = {"liquidation.feedback": "no_feedback"}
    return _deleveraged([_run(seed, replicate, changes) for replicate in range(replicates)])


def distance(
    what: str, values: Sequence[float], low: float, high: float, unit: str = ""
) -> Distance:
    """Return the mean of replicates against a band, with its bootstrap interval (95 %)."""
    known = [value for value in values if not math.isnan(value)]
    found = bootstrap(known)
    mid = math.nan if found.mid is None else found.mid
    interval = None if found.low is None or found.high is None else (found.low, found.high)
    return Distance(what, mid, low, high, unit, interval)


def _deleveraged(runs: Sequence[_Run]) -> int:
    return sum(run.moments["adl_share"] > 0.0 for run in runs)


def _run(seed: int, replicate: int, changes: Mapping[str, Any] | None = None) -> _Run:
    tables = market.played(seed, replicate, changes)
    return _Run(moments(tables), by_asset(tables))


def _of_fact(runs: Sequence[_Run], fact: Fact, use: str) -> Distance:
    words = fact.name.replace("_", " ").replace("btc", "BTC").replace("adl", "ADL")
    what = f"{_FITTED if use == 'calibration' else _PREDICTED}: {words}"
    values = [run.moments.get(fact.name, math.nan) for run in runs]
    return distance(what, values, fact.low, fact.high, fact.unit)


def _of_assets(runs: Sequence[_Run]) -> list[Distance]:
    """Tell how well other assets than BTC are told apart, by rank, and how far off they are."""
    others = assets()[1:]
    listed = [each for each in others if each.day_fall is not None]
    observed: dict[str, tuple[list[Any], Sequence[Asset], int]] = {
        "forced notional": ([each.forced_usd_m for each in others], others, 0),
        "ADL share": ([each.adl_share for each in others], others, 1),
        "fall": ([each.day_fall for each in listed], listed, 2),
    }
    found = [
        distance(
            f"predicted: rank correlation of {what} over {len(chosen)} assets",
            [_rank(facts_there, [run.assets[each.name][place] for each in chosen]) for run in runs],
            _CHANCE[len(chosen)],
            1.0,
        )
        for what, (facts_there, chosen, place) in observed.items()
    ]
    gaps = [
        _mean([abs(_or_zero(run.assets[each.name][1]) - each.adl_share) for each in others])
        for run in runs
    ]
    factors = [_mean([abs(math.log10(ratio)) for ratio in _size_ratios(run)]) for run in runs]
    return [
        *found,
        distance("predicted: ADL share of an asset, mean gap", gaps, 0.0, 0.1),
        distance("predicted: share of forced notional, mean factor", factors, 0.0, 0.3, "decades"),
    ]


def _of_arms(seed: int, replicates: int) -> list[Distance]:
    """Tell what other policies of position ADL take beyond what is needed on the same people."""
    found = []
    for policy, name in _ARMS.items():
        changes = {"liquidation.position_adl": {"kind": policy}}
        runs = [_run(seed, replicate, changes) for replicate in range(replicates)]
        if runs:
            values = [run.moments.get("overshoot_over_needed", math.nan) for run in runs]
            band = next(f for f in facts("prediction") if f.name == "overshoot_over_needed")
            found.append(distance(f"{name}: overshoot over needed",
                                  values, band.low, band.high, "of needed"))  # fmt: skip
    return found


def _rank(observed: Sequence[Any], predicted: Sequence[float]) -> float:
    there = np.asarray(predicted)
    if np.unique(np.nan_to_num(there)).size < 2:
        return math.nan
    return float(spearmanr(observed, np.nan_to_num(there)).statistic)


def _size_ratios(run: _Run) -> list[float]:
    """Return predicted over observed shares of the twelve assets' forced notional."""
    all_there = sum(each.forced_usd_m for each in assets())
    all_here = sum(run.assets[each.name][0] for each in assets())
    return [
        (run.assets[each.name][0] / all_here) / (each.forced_usd_m / all_there)
        for each in assets()
        if run.assets[each.name][0] > 0
    ]


def _asset_panel(runs: Sequence[_Run]) -> Panel:
    """Draw shares of forced notional, asset by asset, predicted over observed."""
    ordered = sorted(assets(), key=lambda each: each.forced_usd_m)
    whole = sum(each.forced_usd_m for each in ordered)
    observed = [100 * each.forced_usd_m / whole for each in ordered]

    def share(name: str) -> Callable[[_Run], float]:
        return lambda run: 100 * run.assets[name][0] / sum(a[0] for a in run.assets.values())

    points = [distance("", [share(each.name)(run) for run in runs], 0, 1) for each in ordered]
    return _diagonal("Forced notional of twelve assets", "of forced notional (%)", "log",
                     {"asset": (observed, points)})  # fmt: skip


def _clock_panel(runs: Sequence[_Run]) -> Panel:
    """Draw the parts of all fills that were done by some times, predicted over observed."""
    values = {fact.name: fact.value for fact in facts("prediction")}
    drawn = {}
    for kind, name in (("market", "sales in the market"), ("adl", "deleveraging")):
        keys = [f"{kind}_by_{time:.0f}_seconds" for time in TIMES]
        points = [
            distance("", [100 * run.moments.get(key, math.nan) for run in runs], 0, 1)
            for key in keys
        ]
        drawn[name] = ([100 * values[key] for key in keys], points)
    return _diagonal("Fills done after 61 to 300 s", "of all fills (%)", "linear", drawn)


def _diagonal(
    title: str, of: str, scale: str, drawn: Mapping[str, tuple[Sequence[float], list[Distance]]]
) -> Panel:
    """Draw predictions with their intervals over observations, and the line on which they agree."""
    series = []
    for name, (observed, points) in drawn.items():
        kept = [(x, p) for x, p in zip(observed, points, strict=True) if p.measured > 0]
        bounded = all(p.interval for _, p in kept)
        ends = [p.interval or (p.measured, p.measured) for _, p in kept]
        series.append(Series(
            name, [x for x, _ in kept], [p.measured for _, p in kept],
            low=[max(low, 1e-3) for low, _ in ends] if bounded else (),
            high=[high for _, high in ends] if bounded else (),
            has_bars=True,
        ))  # fmt: skip
    every = [x for observed, _ in drawn.values() for x in observed]
    line = [min(every), max(every)]
    series.append(Series("as observed", line, line, is_expected=True))
    return Panel(title, f"Observed, {of}", f"Predicted, {of}", tuple(series), scale, scale)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
