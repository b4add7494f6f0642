"""What a venue counts of a collateral: weights that fall with size and with the venue's deposits.

A weight is the part of the value that counts: below 1 for assets, above 1 for liabilities.
"""

from __future__ import annotations

import math

from stresslab.core.errors import StresslabError
from stresslab.core.rational import Number


def borrowable(amount: Number, price: Number, loan_to_value: Number) -> Number:
    """Return what may be borrowed against a collateral, in quote: ``amount · price · LTV``.

    References
    ----------
    Hyperliquid docs, Portfolio margin.

    >>> borrowable(10_000, price=40, loan_to_value=0.5)
    200000.0
    """
    return amount * price * loan_to_value


def asset_weight(weight: float, size_factor: float, size: float) -> float:
    """Return ``min(w, 1.1 / (1 + factor · sqrt(size)))``: a large asset counts less.

    ``size`` is base units without sign; factor 0 leaves the weight.

    References
    ----------
    Drift protocol v2, size discount of asset weights.

    >>> round(asset_weight(0.9, size_factor=1e-5, size=1e9), 4)
    0.8357
    """
    if size_factor == 0:
        return weight
    return min(weight, 1.1 / (1 + size_factor * _root(size)))


def liability_weight(weight: float, size_factor: float, size: float) -> float:
    """Return ``max(w, 0.8 w + factor · sqrt(size))``: a large debt counts more.

    References
    ----------
    Drift protocol v2, size premium of liability weights.

    >>> round(liability_weight(1.1, size_factor=0.01, size=1000), 4)
    1.1962
    """
    return max(weight, 0.8 * weight + size_factor * _root(size))


def deposit_scaled_weight(
    weight: Number, scale_start: Number, deposits: Number, price: Number
) -> Number:
    """Return ``w · min(1, start / (deposits · price))``: what everybody deposits counts less.

    ``scale_start`` is the value of the venue's deposits above which the weight falls, in quote; 0
    means never. ``deposits`` are base units.

    References
    ----------
    Drift protocol v2, scaled initial asset weight; Mango v4, deposit weight scaling.

    >>> deposit_scaled_weight(0.9, scale_start=500_000, deposits=40_000, price=25)
    0.45
    """
    value = deposits * price
    return weight if scale_start == 0 or value <= scale_start else weight * scale_start / value


def borrow_scaled_weight(
    weight: Number, scale_start: Number, borrows: Number, price: Number
) -> Number:
    """Return ``w · max(1, borrows · price / start)``: what everybody borrows costs more.

    References
    ----------
    Mango v4, borrow weight scaling.
    """
    value = borrows * price
    return weight if scale_start == 0 or value <= scale_start else weight * value / scale_start


def _root(size: float) -> float:
    if size < 0:
        raise StresslabError(f"size: {size:g} is below 0 base units")
    return math.sqrt(size)
