"""What goes into a funding rate besides the premium, and what a position pays."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number, clamp, require_positive

SECONDS_PER_DAY = 86_400
SPREAD_DIVISOR = 33  # the spread counts up to 1/33 of the oracle price


def interest_component(
    quote_rate: Number, base_rate: Number, intervals_per_day: Number = 3
) -> Number:
    """Return the interest of one interval: daily rate of quote less that of base, shared evenly.

    References
    ----------
    Bybit and BitMEX, funding rate.

    >>> round(interest_component(0.0006, 0.0003, intervals_per_day=3), 9)
    0.0001
    """
    require_positive(intervals_per_day=intervals_per_day)
    return (quote_rate - base_rate) / intervals_per_day


def cap_from_margins(factor: Number, initial_rate: Number, maintenance_rate: Number) -> Number:
    """Return the largest rate of 8 hours: ``factor · (IMF - MMF)``.

    References
    ----------
    dYdX Chain docs, Funding.

    >>> round(cap_from_margins(6, 0.05, 0.03), 9)
    0.12
    """
    return factor * (initial_rate - maintenance_rate)


def spread_payment(mark_average: Number, oracle_average: Number, period: Number = 3600) -> Number:
    """Return what a long pays per base unit and period, in quote.

    ``clamp(mark - oracle, ±oracle / 33) · period / day``, both time-weighted averages; ``period``
    is seconds.

    References
    ----------
    Drift protocol v2, funding rate.
    """
    require_positive(period=period)
    widest = abs(oracle_average) / SPREAD_DIVISOR
    spread = clamp(mark_average - oracle_average, -widest, widest)
    return spread * period / SECONDS_PER_DAY


def premium_per_unit(rate: Number, spot: Number, quote_price: Number = 1) -> Number:
    """Return what a rate costs per base unit and period: ``rate · spot / price of quote``.

    References
    ----------
    Paradex, Funding Mechanism.
    """
    require_positive(quote_price=quote_price)
    return rate * spot / quote_price


def index_delta(per_unit: Number, window: Number, period: Number) -> Number:
    """Return how far the funding index moves in ``window`` seconds of a ``period`` in seconds."""
    require_positive(period=period)
    return per_unit * window / period


def funding_payment(size: Number, delta: Number, quote_price: Number = 1) -> Number:
    """Return what a signed position receives while the funding index moves by ``delta``.

    >>> funding_payment(size=0.5, delta=0.25)
    -0.125
    """
    return -size * delta * quote_price


def mean_premium(samples: Sequence[float]) -> float:
    """Return the plain mean of the samples of an interval (BitMEX, Hyperliquid, dYdX)."""
    return weighted_mean(samples, [1.0] * len(samples))


def linearly_weighted_premium(samples: Sequence[float]) -> float:
    """Return the mean with weights 1, 2, .. n, the newest sample counting most (Bybit, Binance).

    >>> linearly_weighted_premium([0.0, 0.0, 0.5])
    0.25
    """
    return weighted_mean(samples, [float(place) for place in range(1, len(samples) + 1)])


def ewma_premium(
    samples: Sequence[float], half_life: float, spacing: float, start: float | None = None
) -> float:
    """Return the exponentially weighted average after the samples, ``spacing`` apart (Paradex).

    ``start`` is the average before them, the first sample if there was none.

    >>> ewma_premium([0.0, 1.0, 1.0], half_life=60.0, spacing=60.0)
    0.75
    """
    if not samples:
        raise StresslabError("funding: an interval without a premium sample has no average")
    kept = 0.5 ** (spacing / half_life)
    average = samples[0] if start is None else start
    for sample in samples if start is not None else samples[1:]:
        average = kept * average + (1.0 - kept) * sample
    return average


def median_premium(samples: Sequence[float]) -> float:
    """Return the median of the samples, the mean of the two in the middle if even (dYdX)."""
    if not samples:
        raise StresslabError("funding: an interval without a premium sample has no median")
    return statistics.median(samples)


def weighted_mean(samples: Sequence[float], weights: Sequence[float]) -> float:
    """Return the weighted mean of premium samples.

    Raises
    ------
    StresslabError
        When there is no sample.
    """
    if not samples:
        raise StresslabError("funding: an interval without a premium sample has no mean")
    weighted = [sample * weight for sample, weight in zip(samples, weights, strict=True)]
    return math.fsum(weighted) / math.fsum(weights)
