"""How well an early-warning indicator tells runs that cascade from runs that do not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from stresslab.analysis.intervals import LEVEL, UNDEFINED, Interval


def auc(scores: Sequence[float], happened: Sequence[bool], level: float = LEVEL) -> Interval:
    """Return the area under the receiver operating characteristic with its interval.

    The probability that a run in which it happened scores higher than one in which it did not, ties
    counting half: 1 tells all apart, 0.5 nothing. Undefined unless both kinds are there.

    >>> auc([0.1, 0.2, 0.3, 0.4], [False, False, True, True]).mid
    1.0

    References
    ----------
    Hanley and McNeil (1982), The meaning and use of the area under a receiver operating
    characteristic curve, Radiology 143, 29-36: the area and its standard error.
    """
    is_case = np.asarray(happened, bool)
    n_cases, n_controls = int(is_case.sum()), int((~is_case).sum())
    if not n_cases or not n_controls:
        return UNDEFINED
    from scipy.stats import rankdata  # a second to load, for every report

    ranks = rankdata(np.asarray(scores, np.float64))
    area = (math.fsum(ranks[is_case].tolist()) - n_cases * (n_cases + 1) / 2) / n_cases / n_controls
    once, twice = area / (2 - area), 2 * area * area / (1 + area)
    spread = (
        area * (1 - area)
        + (n_cases - 1) * (once - area * area)
        + (n_controls - 1) * (twice - area * area)
    )
    half = float(ndtri((1 + level) / 2)) * math.sqrt(max(spread, 0.0) / n_cases / n_controls)
    return Interval(area, max(area - half, 0.0), min(area + half, 1.0))
