"""Statistics of returns and volumes that a market is known by, one row of bars for each run."""

from __future__ import annotations

import numpy as np

LAGS = np.arange(1, 101)  # bars, of the decay of the autocorrelation
#: Statistics in the order in which they are told.
NAMES = (
    "standard deviation", "excess kurtosis", "Hill 5 %", "Hill 1 %", "ACF r, lag 1",
    "ACF abs r, lag 1", "ACF abs r, lag 10", "ACF abs r, lag 100", "decay of ACF abs r",
    "corr abs r and volume", "corr r and next r squared",
)  # fmt: skip


def moments(returns: np.ndarray, volume: np.ndarray) -> dict[str, float]:
    """Return the statistics of log returns and of the volumes of their bars, by name.

    Parameters
    ----------
    returns, volume : shape ``(n_runs, n_bars)``; runs are one sample with one mean and one
        variance, and no pair of bars reaches from one run into the next
    """
    size = np.abs(returns)
    decline = np.array([acf(size, int(lag)) for lag in LAGS])
    standard = (returns - returns.mean()) / returns.std()
    values = (
        returns.std(),
        (standard**4).mean() - 3.0,
        hill(size, 0.05),
        hill(size, 0.01),
        acf(returns, 1),
        *(decline[lag - 1] for lag in (1, 10, 100)),
        decay(decline),
        np.corrcoef(size.ravel(), volume.ravel())[0, 1],
        np.corrcoef(returns[:, :-1].ravel(), returns[:, 1:].ravel() ** 2)[0, 1],
    )
    return dict(zip(NAMES, map(float, values), strict=True))


def longer(bars: np.ndarray, n: int) -> np.ndarray:
    """Return sums over ``n`` bars, of log returns or volumes; what is left over is dropped.

    >>> longer(np.array([[1.0, 2.0, 3.0, 4.0, 9.0]]), 2).tolist()
    [[3.0, 7.0]]
    """
    whole = bars.shape[1] // n
    summed: np.ndarray = bars[:, : whole * n].reshape(bars.shape[0], whole, n).sum(axis=2)
    return summed


def acf(values: np.ndarray, lag: int) -> float:
    """Return the autocorrelation at a lag of rows that share mean and variance.

    >>> acf(np.array([[1.0, -1.0, 1.0, -1.0]]), 1)
    -1.0
    """
    centred = values - values.mean()
    return float((centred[:, lag:] * centred[:, :-lag]).mean() / centred.var())


def hill(sizes: np.ndarray, share: float) -> float:
    """Return Hill's estimate of the tail exponent from the largest ``share`` of sizes above zero.

    References
    ----------
    Hill (1975), A simple general approach to inference about the tail of a distribution, Annals
    of Statistics 3, 1163-1174.
    """
    ordered = np.sort(sizes[sizes > 0.0])[::-1]
    k = max(1, int(share * ordered.size))
    return float(k / np.log(ordered[:k] / ordered[k]).sum())


def decay(decline: np.ndarray) -> float:
    """Return b of a fit of ``lag^-b`` to an autocorrelation at ``LAGS``, by logs where positive."""
    known = decline > 0.0
    if known.sum() < 2:
        return np.nan
    return float(-np.polyfit(np.log(LAGS[known]), np.log(decline[known]), 1)[0])


def clustering(sizes: np.ndarray) -> float:
    """Return the mean autocorrelation of sizes at lags 1 to 10 of one row of bars."""
    return float(np.mean([acf(sizes[None], lag) for lag in range(1, 11)]))
