"""How many of a stream of events are the children of others: two estimators for real event times.

In a Hawkes process every event raises the rate of later ones, in all by the branching ratio n. With
an exponential kernel the rate at time t is ``mu + sum of n b exp(-b (t - t_i))`` over past events.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.errors import StresslabError

LEAST_EVENTS = 50
LEAST_WINDOWS = 20
_Z = 1.959963984540054  # both sides of a 95 % interval
_DECAYS = (0.1, 1.0, 10.0)  # first guesses, in events of mean rate


class HawkesFit(NamedTuple):
    """What a stream of events looks like as a Hawkes process with an exponential kernel."""

    baseline: float  # events without a parent, per second
    ratio: float  # branching ratio
    decay: float  # per second
    low: float  # 95 % interval of the branching ratio, by the curvature of the likelihood
    high: float
    log_likelihood: float


class FanoFactor(NamedTuple):
    """Branching ratio by the spread of counts in windows."""

    fano: float  # variance of counts over their mean
    ratio: float
    low: float  # 95 % interval, as for Gaussian counts
    high: float
    windows: int


def fit_hawkes(times: np.ndarray) -> HawkesFit:
    """Return the exponential kernel of greatest likelihood.

    Parameters
    ----------
    times : seconds of the events, in any order

    References
    ----------
    Ozaki (1979), Maximum likelihood estimation of Hawkes' self-exciting point processes, Annals of
    the Institute of Statistical Mathematics 31, 145-155: the recursion that makes it linear.
    """
    from scipy.optimize import minimize

    events = _from_zero(times)
    span = float(events[-1])
    rate = events.size / span

    def lost(logs: np.ndarray) -> float:
        baseline, ratio, decay = np.exp(np.clip(logs, -40.0, 40.0)).tolist()
        return -float(log_likelihood(events, span, baseline, ratio, decay))

    starts = [np.log([0.5 * rate, 0.5, decay * rate]) for decay in _DECAYS]
    found = [minimize(lost, start, method="Nelder-Mead",
                      options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000})
             for start in starts]  # fmt: skip
    best = min(found, key=lambda answer: float(answer.fun))
    baseline, ratio, decay = np.exp(best.x).tolist()
    spread = _Z * _error_of_log_ratio(lost, best.x)
    return HawkesFit(baseline, ratio, decay, ratio * math.exp(-spread), ratio * math.exp(spread),
                     -float(best.fun))  # fmt: skip


@kernel
def log_likelihood(
    events: np.ndarray, span: float, baseline: float, ratio: float, decay: float
) -> float:
    """Return the log likelihood of rising event times between 0 and ``span``, in one pass."""
    total, excited, before = -baseline * span, 0.0, events[0]
    for place in range(events.size):
        if place > 0:
            excited = (excited + 1.0) * math.exp(-decay * (events[place] - before))
        before = events[place]
        total += math.log(baseline + ratio * decay * excited)
        total -= ratio * (1.0 - math.exp(-decay * (span - events[place])))
    return total


def count_spread(times: np.ndarray, window_seconds: float) -> FanoFactor:
    """Return the branching ratio ``1 - 1 / sqrt(F)``, F the variance over the mean of counts.

    It holds for any kernel, in windows much longer than a cascade lasts; negative where events
    repel each other.

    References
    ----------
    Hardiman and Bouchaud (2014), Branching-ratio approximation for the self-exciting Hawkes
    process, Physical Review E 90, 062807.
    """
    from scipy.stats import chi2

    events = _from_zero(times)
    n_windows = int(events[-1] // window_seconds) if window_seconds > 0 else 0
    if n_windows < LEAST_WINDOWS:
        raise StresslabError(
            f"windows of {window_seconds:g} s: {n_windows} fit into {events[-1]:g} s of events; "
            f"allowed are lengths above 0 s of which {LEAST_WINDOWS} fit"
        )
    edges = window_seconds * np.arange(n_windows + 1)
    counts = np.histogram(events, edges)[0]
    fano = float(counts.var(ddof=1) / counts.mean())
    free = n_windows - 1
    low, high = (fano * free / float(chi2.ppf(p, free)) for p in (0.975, 0.025))
    return FanoFactor(fano, _ratio(fano), _ratio(low), _ratio(high), n_windows)


def _ratio(fano: float) -> float:
    return 1.0 - 1.0 / math.sqrt(fano) if fano > 0 else -math.inf


def _from_zero(times: np.ndarray) -> np.ndarray:
    events = np.sort(np.asarray(times, np.float64))
    if events.size < LEAST_EVENTS:
        raise StresslabError(f"{events.size} events; allowed are at least {LEAST_EVENTS}")
    if not np.all(np.isfinite(events)) or events[-1] == events[0]:
        raise StresslabError("event times must be finite numbers of seconds, and not all the same")
    return events - events[0]


def _error_of_log_ratio(lost: object, at: np.ndarray) -> float:
    """Return the standard error of log n from the curvature of the likelihood at its top."""
    assert callable(lost)
    step, size = 1e-3, at.size
    curvature = np.empty((size, size))
    for i, j in np.ndindex(size, size):
        a, b = step * np.eye(size)[i], step * np.eye(size)[j]
        rise = lost(at + a + b) - lost(at + a - b) - lost(at - a + b) + lost(at - a - b)
        curvature[i, j] = rise / (4 * step * step)
    try:
        variance = float(np.linalg.inv(curvature)[1, 1])
    except np.linalg.LinAlgError:
        return math.inf
    return math.sqrt(variance) if variance > 0 else math.inf
