"""Distances of the runs from recorded bars, and how often a run is one that the data could be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stresslab.analysis.intervals import bootstrap, student_quantile
from stresslab.validation.stylised.facts import Fact, facts
from stresslab.validation.stylised.falls import falls
from stresslab.validation.stylised.moments import NAMES, acf, longer, moments
from stresslab.validation.stylised.windows import BARS
from stresslab.validation.verdicts import Distance, Panel, Series

_LENGTHS = (1, 5)  # minutes
_COVERED = (0.9, 1.0)  # of right runs: each statistic of 95 % of the windows lies in its interval
#: Quartiles over 95 falls of BTC in 2018 and 2019, and the range of volumes over their norm.
_OF_FALLS = {"rebound in an hour": (0.16, 0.37), "volume over its mean": (4.0, 10.0)}
_LAGS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
_WITH, _WITHOUT, _DATA = "market", "no feedback", "recorded bars"


def told(
    market: np.ndarray, calm: np.ndarray | None
) -> tuple[tuple[Distance, ...], tuple[Panel, ...]]:
    """Return distances and panels of runs, beside runs without feedback where there are any.

    Parameters
    ----------
    market, calm : log returns and volumes, shape ``(n_runs, 2, n_minutes)``
    """
    distances, alone = [], {}
    for n in _LENGTHS:
        returns, volume = longer(market[:, 0], n), longer(market[:, 1], n)
        distances += _as_one_sample(returns, volume, n)
        alone[n] = [moments(r[None], v[None]) for r, v in zip(returns, volume, strict=True)]
    is_as_long = market.shape[2] == BARS
    if is_as_long:
        distances += [_coverage(alone[n], n) for n in _LENGTHS]
    distances += _after_falls(market)
    if calm is not None:
        distances += _without_feedback(calm[:, 0], calm[:, 1])
    drawn = {_WITH: market[:, 0], **({} if calm is None else {_WITHOUT: calm[:, 0]})}
    windows = (_windows(alone[1]),) if is_as_long else ()
    return tuple(distances), (_decline(drawn), _tails(drawn), *windows)


def _as_one_sample(returns: np.ndarray, volume: np.ndarray, minutes: int) -> list[Distance]:
    """Return statistics of all runs as one sample, with intervals that leave out run by run."""
    whole, n = moments(returns, volume), len(returns)
    rest = [moments(np.delete(returns, k, 0), np.delete(volume, k, 0)) for k in range(n)]
    return [
        Distance(_words(fact), whole[fact.name], fact.low, fact.high, "",
                 _jackknife(whole[fact.name], [each[fact.name] for each in rest]))
        for fact in facts() if fact.minutes == minutes
    ]  # fmt: skip


def _words(fact: Fact) -> str:
    return f"{fact.use}: {fact.minutes} min, {fact.name}"


def _jackknife(whole: float, rest: Sequence[float]) -> tuple[float, float] | None:
    """Return Student's 95 % interval with the jackknife's standard error.

    References
    ----------
    Efron and Stein (1981), The jackknife estimate of variance, Annals of Statistics 9, 586-596.
    """
    n = len(rest)
    if n < 2:
        return None
    centre = math.fsum(rest) / n
    error = math.sqrt((n - 1) / n * math.fsum((each - centre) ** 2 for each in rest))
    half = student_quantile(n - 1, 0.95) * error
    return whole - half, whole + half


def _is_covered(fact: Fact, value: float) -> bool:
    return fact.window_low <= value <= fact.window_high


def _coverage(runs: Sequence[Mapping[str, float]], minutes: int) -> Distance:
    """Return the share of statistics, over runs, that lie in the intervals of equal windows.

    References
    ----------
    Franke and Westerhoff (2012), Structural stochastic volatility in asset pricing dynamics,
    Journal of Economic Dynamics and Control 36, 1193-1211: the moment coverage ratio.
    """
    those = [fact for fact in facts() if fact.minutes == minutes]
    shares = [sum(_is_covered(fact, run[fact.name]) for fact in those) / len(those) for run in runs]
    found = bootstrap(shares)
    interval = None if found.low is None or found.high is None else (found.low, found.high)
    return Distance(f"{minutes} min, statistics of a run inside the 95 % interval of windows",
                    math.fsum(shares) / len(shares), *_COVERED, "of them", interval)  # fmt: skip


def _after_falls(market: np.ndarray) -> list[Distance]:
    """Return the median rebound and volume of falls, nothing where there are none."""
    found = [fall for returns, volume in market for fall in falls(returns, volume)]
    told = []
    for place, (what, band) in enumerate(_OF_FALLS.items()):
        values = [fall[place] for fall in found]
        middle = bootstrap(values, statistic=_median)
        if middle.mid is not None:
            ends = None if middle.low is None or middle.high is None else (middle.low, middle.high)
            what = f"predicted: {what} of {len(found)} falls of 3 % in 15 min"
            told.append(Distance(what, middle.mid, *band, "", ends))
    return told


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _without_feedback(returns: np.ndarray, volume: np.ndarray) -> list[Distance]:
    found = moments(returns, volume)
    names = ("excess kurtosis", "Hill 5 %", "ACF abs r, lag 1", "ACF abs r, lag 10")
    return [
        Distance(f"without feedback: 1 min, {fact.name}", found[fact.name], fact.low, fact.high)
        for fact in facts() if fact.minutes == 1 and fact.name in names
    ]  # fmt: skip


def _decline(returns: Mapping[str, np.ndarray]) -> Panel:
    """Draw the autocorrelation of absolute returns with and without feedback, and the bands."""
    series = [_memory(name, np.abs(found)) for name, found in returns.items()]
    bands = {fact.name: fact for fact in facts() if fact.minutes == 1}
    there = [(lag, bands[f"ACF abs r, lag {lag}"]) for lag in (1, 10, 100)]
    lags = [lag for lag, _ in there]
    middle = [(fact.low + fact.high) / 2 for _, fact in there]
    series.append(Series(_DATA, lags, middle, low=[fact.low for _, fact in there],
                         high=[fact.high for _, fact in there], has_bars=True))  # fmt: skip
    return Panel("Absolute returns, 1 min", "Lag (min)", "Autocorrelation", tuple(series), "log")


def _memory(name: str, sizes: np.ndarray) -> Series:
    """Return autocorrelations by lag, with intervals that leave out run by run where they can."""
    whole = [acf(sizes, lag) for lag in _LAGS]
    if len(sizes) < 2:
        return Series(name, _LAGS, whole)
    rest = [[acf(np.delete(sizes, k, 0), lag) for k in range(len(sizes))] for lag in _LAGS]
    ends = [_jackknife(value, without) for value, without in zip(whole, rest, strict=True)]
    low, high = zip(*(end for end in ends if end is not None), strict=True)
    return Series(name, _LAGS, whole, low=low, high=high)


def _tails(returns: Mapping[str, np.ndarray]) -> Panel:
    """Draw how many returns exceed a size in standard deviations, and the slope of the data."""
    series, share = [], np.geomspace(1e-4, 0.5, 24)
    for name, found in returns.items():
        sizes = np.abs(found).ravel() / found.std()
        kept = share[share * sizes.size >= 1.0]
        series.append(Series(name, np.quantile(sizes, 1.0 - kept).tolist(), kept.tolist()))
    hill = next(f for f in facts() if f.minutes == 1 and f.name == "Hill 5 %").window_median
    start = float(np.quantile(np.abs(returns[_WITH]) / returns[_WITH].std(), 0.95))
    ends = [start, start * (0.05 / 1e-4) ** (1.0 / hill)]
    series.append(Series(f"slope -{hill:.2f}, {_DATA}", ends, [0.05, 1e-4], is_expected=True))
    return Panel("Tails, 1 min", "Size (standard deviations)", "Share that is larger",
                 tuple(series), "log", "log")  # fmt: skip


def _windows(runs: Sequence[Mapping[str, float]]) -> Panel:
    """Draw each statistic of the runs in half widths of the interval of equal windows."""
    found = {fact.name: fact for fact in facts() if fact.minutes == 1}
    ends = [_quantiles(found[name], [run[name] for run in runs]) for name in NAMES]
    low, mid, high = zip(*ends, strict=True)
    bounds = [Series("interval of windows", (1, len(NAMES)), (end, end), is_expected=True)
              for end in (-1.0, 1.0)]  # fmt: skip
    runs_there = Series(
        "runs, all and median", range(1, len(NAMES) + 1), mid, low=low, high=high, has_bars=True
    )
    return Panel("Runs, and windows as long", "Statistic, in the order of the page",
                 "From the middle (half widths)", (runs_there, *bounds))  # fmt: skip


def _quantiles(fact: Fact, values: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, the median and the largest value in half widths of equal windows."""
    half = (fact.window_high - fact.window_low) / 2
    places = [(value - fact.window_low) / half - 1.0 for value in values]
    return min(places), float(np.median(places)), max(places)
