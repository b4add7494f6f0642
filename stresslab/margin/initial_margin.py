"""Initial margin as venues publish it: inverse, with closing fee, with orders, by open interest."""

from __future__ import annotations

from stresslab.core.rational import Number, clamp, require_positive, up_to


def inverse_initial_margin(value: Number, entry: Number, leverage: Number) -> Number:
    """Return ``N / (E L)`` in coin; N is contracts times contract value in USD.

    References
    ----------
    Bybit, Initial Margin (Inverse Contract).

    >>> inverse_initial_margin(12_000, entry=8000, leverage=50)
    0.03
    """
    require_positive(entry=entry, leverage=leverage)
    return value / (entry * leverage)


def closing_fee(side: int, value: Number, leverage: Number, taker_fee: Number) -> Number:
    """Return the fee to close a position of entry ``value`` at bankruptcy: ``V (1 - s / L) f``."""
    require_positive(leverage=leverage)
    return value * (1 - side / leverage) * taker_fee


def margins_with_closing_fee(
    side: int,
    value: Number,
    leverage: Number,
    rate: Number,
    taker_fee: Number,
    amount: Number = 0,
) -> tuple[Number, Number]:
    """Return initial and maintenance margin that both carry the fee to close at bankruptcy.

    ``IM = V / L + fee`` and ``MM = V m - c + fee``, in quote.

    References
    ----------
    Bybit unified trading account, Initial Margin and Maintenance Margin.
    """
    fee = closing_fee(side, value, leverage, taker_fee)
    return value / leverage + fee, value * rate - amount + fee


def margin_with_orders(
    size: Number,
    buy_orders: Number,
    sell_orders: Number,
    rate: Number,
    mark: Number,
    fee_provision: Number = 0,
    open_loss: Number = 0,
) -> Number:
    """Return the initial margin of a signed position and its open orders, in quote.

    The worse of all buys and all sells filling:
    ``max(max(0, buys + z), max(0, sells - z)) · rate · mark + fee provision + open loss``.

    References
    ----------
    Paradex, Cross Margin Requirement.

    >>> margin_with_orders(-1, buy_orders=3, sell_orders=2, rate=0.02, mark=90_000)
    5400.0
    """
    open_size = max(0, buy_orders + size, sell_orders - size)
    return open_size * rate * mark + fee_provision + open_loss


def scaled_initial_rate(
    rate: Number, open_interest: Number, lower_cap: Number, upper_cap: Number
) -> Number:
    """Return the initial margin rate that grows to 1 between two caps of open interest.

    ``min(1, m + k (1 - m))`` with ``k = clamp((OI - lower) / (upper - lower), 0, 1)``. Equal caps
    scale nothing when both are 0, else at once.

    References
    ----------
    dYdX Chain, x/perpetuals, liquidity tiers.

    >>> round(scaled_initial_rate(0.2, 1.5e6, lower_cap=1e6, upper_cap=2e6), 9)
    0.6
    """
    if upper_cap <= lower_cap:
        return 1 if upper_cap > 0 and open_interest >= upper_cap else min(1, rate)
    width = upper_cap - lower_cap
    above = clamp(open_interest - lower_cap, 0, width)
    return min(1, rate + above * (1 - rate) / width)  # of ints and Fractions, exactly


def scaled_initial_margin(
    notional: Number,
    rate: Number,
    open_interest: Number,
    lower_cap: Number,
    upper_cap: Number,
    quote_step: Number = 0,
) -> Number:
    """Return the initial margin of a notional at the scaled rate, rounded up to a quote step."""
    scaled = scaled_initial_rate(rate, open_interest, lower_cap, upper_cap)
    return up_to(abs(notional) * scaled, quote_step)
