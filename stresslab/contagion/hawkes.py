"""How many of a stream of events are the children of others: two estimators for real event times.

In a Hawkes process every event raises the rate of later ones, in all by the branching ratio n. With
an exponential kernel the rate at time t is ``mu + sum of n b exp(-b (t - t_i))`` over past events.

Where events come in steps, as in a simulation or a block chain, and a child's exponential wait is
rounded up to whole steps of length d, waits are geometric: of the children still to come the part
``q = exp(-b d)`` is left from step to step, and none comes in its parent's own step. The counts of
steps are then Poisson about ``mu d + n (1 - q) sum of q^(k - 1)`` over events k steps ago, a Hawkes
process in discrete time. Read as if they were exact, such times overstate n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.errors import StresslabError

LEAST_EVENTS = 50
LEAST_WINDOWS = 20
_Z = 1.959963984540054  # both sides of a 95 % interval
_DECAYS = (0.1, 1.0, 10.0)  # first guesses, in events of mean rate
#: Events from which a guess of the kernel is made before a longer stream is looked at whole.
_FIRST = 50_000


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


def fit_hawkes(times: np.ndarray, step_seconds: float = 0.0) -> HawkesFit:
    """Return the exponential kernel of greatest likelihood.

    Parameters
    ----------
    times : seconds of the events, in any order
    step_seconds : length of the steps that events come in, all counted from the first event; 0 for
        exact times

    References
    ----------
    Ozaki (1979), Maximum likelihood estimation of Hawkes' self-exciting point processes, Annals of
    the Institute of Statistical Mathematics 31, 145-155: the recursion that makes it linear.
    Kirchner (2016), Hawkes and INAR(oo) processes, Stochastic Processes and their Applications 126,
    2494-2525: the same in discrete time.
    """
    events = _from_zero(times)
    lost, rate = _lost(events, step_seconds)
    starts = [np.log([0.5 * rate, 0.5, decay * rate]) for decay in _DECAYS]
    if events.size > 2 * _FIRST:
        starts = [_least(_lost(events[:_FIRST], step_seconds)[0], starts)[0]]
    at, least = _least(lost, starts)
    baseline, ratio, decay = np.exp(at).tolist()
    spread = _Z * _error_of_log_ratio(lost, at)
    return HawkesFit(baseline, ratio, decay, ratio * math.exp(-spread), ratio * math.exp(spread),
                     -least)  # fmt: skip


def _least(
    lost: Callable[[np.ndarray], float], starts: list[np.ndarray]
) -> tuple[np.ndarray, float]:
    """Return where the least is lost, of several starts, and how much."""
    from scipy.optimize import minimize

    found = [minimize(lost, start, method="Nelder-Mead",
                      options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000})
             for start in starts]  # fmt: skip
    best = min(found, key=lambda answer: float(answer.fun))
    return best.x, float(best.fun)


def _lost(events: np.ndarray, step_seconds: float) -> tuple[Callable[[np.ndarray], float], float]:
    """Return the negative log likelihood by logs of the law, and the events per second."""
    likelihood, rate = _likelihood(events, step_seconds)

    def lost(logs: np.ndarray) -> float:
        return -likelihood(*np.exp(np.clip(logs, -40.0, 40.0)).tolist())

    return lost, rate


def _likelihood(
    events: np.ndarray, step_seconds: float
) -> tuple[Callable[[float, float, float], float], float]:
    """Return the log likelihood by baseline, ratio and decay, and the events per second."""
    if step_seconds == 0:
        span = float(events[-1])
        return lambda *law: float(log_likelihood(events, span, *law)), events.size / span
    steps, counts = _in_steps(events, step_seconds)
    n_steps = int(steps[-1]) + 1

    def of_counts(baseline: float, ratio: float, decay: float) -> float:
        stays = math.exp(-decay * step_seconds)
        found = log_likelihood_of_counts(
            steps, counts, n_steps, baseline * step_seconds, ratio, stays
        )
        return float(found)

    return of_counts, events.size / (n_steps * step_seconds)


def _in_steps(events: np.ndarray, step_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps in which something happens, rising, and how much does."""
    if not 0 < step_seconds < math.inf:
        raise StresslabError(f"steps of {step_seconds:g} s; allowed are lengths above 0 s")
    steps, counts = np.unique(np.rint(events / step_seconds).astype(np.int64), return_counts=True)
    if steps.size < 2:
        raise StresslabError(f"steps of {step_seconds:g} s: all events fall into one")
    return steps, counts.astype(np.int64)


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
    to_come = (excited + 1.0) * math.exp(-decay * (span - before))
    return total - ratio * (events.size - to_come)


@kernel
def log_likelihood_of_counts(
    steps: np.ndarray, counts: np.ndarray, n_steps: int, baseline: float, ratio: float, stays: float
) -> float:
    """Return the log likelihood of counts of steps, in one pass over those with events.

    The factorials of counts, which no law changes, are left out.

    Parameters
    ----------
    steps, counts : rising numbers of the steps with events, the first is 0, and their events
    n_steps : all steps, those without events included
    baseline : events without a parent, per step
    stays : part of the children still to come that is left after a step, exp(-decay step_seconds)
    """
    total, excited, before = -baseline * n_steps, 0.0, steps[0]
    comes = ratio * (1.0 - stays)
    for place in range(steps.size):
        step, count = steps[place], counts[place]
        if place > 0:
            excited = (excited + counts[place - 1]) * stays ** float(step - before - 1)
        before = step
        total += count * math.log(baseline + comes * excited)
        total -= count * ratio * (1.0 - stays ** float(n_steps - 1 - step))
        excited *= stays
    return total


def count_spread(times: np.ndarray, window_seconds: float) -> FanoFactor:
    """Return the branching ratio ``1 - 1 / sqrt(F)``, F the variance over the mean of counts.

    It holds for any kernel, in windows much longer than a cascade lasts; negative where events
    repel each other. Near n = 1 counts are skewed, and the interval is too narrow: at 0.9 seven of
    ten hold the ratio.

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
    counts = np.histogram(events[events < edges[-1]], edges)[0]  # numpy's last window is closed
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


def _error_of_log_ratio(lost: Callable[[np.ndarray], float], at: np.ndarray) -> float:
    """Return the standard error of log n from the curvature of the likelihood at its top."""
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
