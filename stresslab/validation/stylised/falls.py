"""Falls of 3 % in a quarter of an hour: how much of them is made good, and how much is traded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

FALL = math.log(0.97)  # of the log price in a quarter of an hour
_QUARTER, _HOUR, _LONGEST = 15, 60, 240  # minutes; the low lies at most so long after the start


class Fall(NamedTuple):
    """One fall and what came after its low."""

    rebound: float  # part of the fall that is made good an hour after the low
    volume: float  # of the hour from the start on, over the mean hour of the run


def falls(returns: np.ndarray, volume: np.ndarray) -> Iterator[Fall]:
    """Yield the falls of one run, each begun an hour or more after the low of the one before.

    A fall starts with a quarter of an hour, counted from the first minute, that loses 3 % or more;
    its low is the lowest close of the next four hours. One whose low is in the last hour is left
    out.

    Parameters
    ----------
    returns, volume : log returns and volumes of minutes, shape ``(n_minutes,)``
    """
    log_price = np.concatenate([[0.0], np.cumsum(returns)])
    free_from = 0
    for start in range(0, log_price.size - _QUARTER, _QUARTER):
        if start < free_from or log_price[start + _QUARTER] - log_price[start] > FALL:
            continue
        low = start + int(np.argmin(log_price[start : start + _LONGEST + 1]))
        free_from = low + _HOUR
        if free_from < log_price.size:
            first, least, later = np.exp(log_price[[start, low, free_from]])
            hours = volume[start : start + _HOUR].mean() / volume.mean()
            yield Fall(float((later - least) / (first - least)), float(hours))
