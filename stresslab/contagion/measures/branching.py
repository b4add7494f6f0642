"""Branching: how much forced notional one unit of forced notional brings about.

Ratios are of sums over liquidations of completed episodes; the sums themselves are measures too, so
that replicates are pooled as ratio of sums (averaging the ratio per cascade gives about half).
"""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.attribution import clipped
from stresslab.contagion.columns import MICRO_USD, exact_sum, ratio, usd
from stresslab.contagion.measures.measure import Measure
from stresslab.contagion.projection import Contagion

#: Ratios of parts of a run (first generation, a window) need this many liquidations.
LEAST_LIQUIDATIONS = 50


def numerator(run: Contagion) -> float:
    """Return forced notional times endogenous trigger share, summed."""
    return exact_sum((run.forced_notional * run.forest.endogenous_share)[_is_counted(run)]) / (
        MICRO_USD
    )


def denominator(run: Contagion) -> float:
    """Return forced notional, summed."""
    return usd(run.forced_notional[_is_counted(run)].sum())


def branching_ratio(run: Contagion) -> float:
    """Return the branching ratio by notional; NaN without forced notional."""
    return ratio(numerator(run), denominator(run))


def numerator_count(run: Contagion) -> float:
    """Return endogenous trigger shares, summed."""
    return exact_sum(run.forest.endogenous_share[_is_counted(run)])


def denominator_count(run: Contagion) -> int:
    """Count the liquidations of completed episodes."""
    return int(_is_counted(run).sum())


def branching_ratio_count(run: Contagion) -> float:
    """Return the branching ratio by number of liquidations; NaN without one."""
    return ratio(numerator_count(run), denominator_count(run))


def first_numerator(run: Contagion) -> float:
    """Return the notional that the first generation brought about.

    A liquidation belongs to the first generation with its exogenous share; its children owe it
    their forced notional times its trigger share.
    """
    edges = run.parents
    is_counted = _is_counted(run)[edges.child]
    first = 1 - run.forest.endogenous_share[edges.parent]
    return exact_sum((run.forced_notional[edges.child] * edges.share * first)[is_counted]) / (
        MICRO_USD
    )


def first_denominator(run: Contagion) -> float:
    """Return the notional of the first generation."""
    first = run.forced_notional * (1 - run.forest.endogenous_share)
    return exact_sum(first[_is_counted(run)]) / MICRO_USD


def branching_ratio_first(run: Contagion) -> float:
    """Return notional of children over notional of the first generation.

    NaN for fewer than 50 liquidations.
    """
    if denominator_count(run) < LEAST_LIQUIDATIONS:
        return math.nan
    return ratio(first_numerator(run), first_denominator(run))


def branching_ratio_max(run: Contagion) -> float:
    """Return the path maximum: the highest ratio by notional of 50 successive liquidations."""
    is_counted = _is_counted(run)
    if is_counted.sum() < LEAST_LIQUIDATIONS:
        return math.nan
    notional = run.forced_notional[is_counted]
    caused = notional * run.forest.endogenous_share[is_counted]
    windows = np.lib.stride_tricks.sliding_window_view
    parts = windows(caused, LEAST_LIQUIDATIONS).sum(axis=1)
    wholes = windows(notional, LEAST_LIQUIDATIONS).sum(axis=1)
    is_some = wholes > 0
    return float((parts[is_some] / wholes[is_some]).max()) if is_some.any() else math.nan


def endogenous_share(run: Contagion) -> float:
    """Return the share of all liquidations that liquidations caused; NaN without one."""
    return ratio(exact_sum(run.forest.endogenous_share), len(run.ids))


def clipped_share(run: Contagion) -> float:
    """Return margin given back by causes, which trigger shares leave out, over margin eaten."""
    gave, ate = clipped(run.triggers)
    return ratio(gave, ate)


def _is_counted(run: Contagion) -> np.ndarray:
    return run.episodes.is_complete[run.episodes.of]


MEASURES = (
    Measure("branching_ratio", "1", "Branching ratio by forced notional", branching_ratio),
    Measure("branching_numerator_usd", "USD", "Forced notional caused by liquidations", numerator),
    Measure(
        "branching_denominator_usd", "USD", "Forced notional in completed episodes", denominator
    ),
    Measure(
        "branching_ratio_count",
        "1",
        "Branching ratio by number of liquidations",
        branching_ratio_count,
    ),
    Measure(
        "branching_numerator_count", "1", "Liquidations caused by liquidations", numerator_count
    ),
    Measure(
        "branching_denominator_count",
        "liquidations",
        "Liquidations in completed episodes",
        denominator_count,
    ),
    Measure(
        "branching_ratio_first",
        "1",
        "Branching ratio of the first generation by forced notional",
        branching_ratio_first,
    ),
    Measure(
        "branching_first_numerator_usd",
        "USD",
        "Forced notional caused by the first generation",
        first_numerator,
    ),
    Measure(
        "branching_first_denominator_usd",
        "USD",
        "Forced notional of the first generation",
        first_denominator,
    ),
    Measure(
        "branching_ratio_max",
        "1",
        "Highest branching ratio of 50 successive liquidations",
        branching_ratio_max,
    ),
    Measure(
        "endogenous_share", "1", "Share of liquidations caused by liquidations", endogenous_share
    ),
    Measure("clipped_share", "1", "Margin given back over margin eaten", clipped_share),
)
