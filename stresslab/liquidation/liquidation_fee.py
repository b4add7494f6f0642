"""Fees of a liquidation: what draws liquidators, and what is left for the insurance fund."""

from __future__ import annotations

from fractions import Fraction

from stresslab.core.rational import Number

FUND_PART = Fraction(19, 20)  # of the margin left over, so that closing still frees some


def ramped_fee(
    base_fee: Number, max_fee: Number, elapsed: Number, grace: Number, per_slot: Number
) -> Number:
    """Return the liquidator's fee, of notional, after ``elapsed`` slots without a liquidator.

    ``base`` within the grace period, then ``min(max, base + elapsed · per slot)``: when it begins
    to grow it counts the grace period too, and jumps.

    References
    ----------
    Drift protocol v2, liquidation fee.

    >>> ramped_fee(0.25, 0.5, elapsed=1499, grace=1500, per_slot=0.0001)
    0.25
    >>> ramped_fee(0.25, 0.5, elapsed=1500, grace=1500, per_slot=0.0001)
    0.4
    """
    if elapsed < grace:
        return base_fee
    return max(base_fee, min(max_fee, base_fee + elapsed * per_slot))


def affordable_fund_fee(
    shortage: Number,
    quantity: Number,
    price: Number,
    margin_rate: Number,
    liquidator_fee: Number,
    max_fee: Number,
    quote_price: Number = 1,
) -> Number:
    """Return the insurance fund's fee, of notional, that the margin freed by closing can bear.

    ``min(max, 0.95 · max(0, m - liquidator fee - shortage / (q P)))``; 0 without notional.

    References
    ----------
    Drift protocol v2, insurance fund fee of perpetuals.
    """
    notional = abs(quantity) * price * quote_price
    if notional == 0:
        return 0
    left = max(0, margin_rate - liquidator_fee - shortage / notional)
    return min(max_fee, FUND_PART * left)


def maintenance_penalty(share: Number, fee_rate: Number, maintenance: Number) -> Number:
    """Return the penalty for the closed share of an account: ``share · rate · MM``, in quote.

    References
    ----------
    Paradex, Liquidations.
    """
    return share * fee_rate * maintenance
