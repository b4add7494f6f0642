"""Integer arithmetic of money: products of 128 bits, named rounding, shares that add up.

Nothing here wraps. A result that does not fit int64 raises ``OverflowError``.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.wide import divide_wide, multiply_high

#: Named roundings: towards minus infinity, towards plus infinity, towards zero, and to the nearest
#: with halves to the even neighbour.
FLOOR, CEIL, TOWARD_ZERO, HALF_EVEN = range(4)

LARGEST = 2**63 - 1
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_LARGEST = np.uint64(LARGEST)


@kernel
def mul_div(a: int, b: int, c: int, rounding: int) -> int:
    """Return ``a * b / c`` with the product in full 128 bits, rounded as named; ``c`` positive.

    >>> mul_div(-7, 1, 2, FLOOR), mul_div(-7, 1, 2, CEIL), mul_div(-7, 1, 2, HALF_EVEN)
    (-4, -3, -4)
    """
    if c <= 0:
        raise ValueError("the divisor of mul_div must be positive")
    is_negative = (a < 0) != (b < 0)
    first, second, divisor = _magnitude(a), _magnitude(b), np.uint64(c)
    high, low = multiply_high(first, second), first * second
    if high == _ZERO:
        quotient, rest = low // divisor, low % divisor
    elif high < divisor:
        quotient, rest = divide_wide(high, low, divisor)
    else:
        raise OverflowError("mul_div: the quotient does not fit 64 bits")
    if rest != _ZERO and _rounds_away(quotient, rest, divisor, is_negative, rounding):
        quotient += _ONE
    if quotient > _LARGEST:
        raise OverflowError("mul_div: the quotient does not fit 64 bits")
    return -np.int64(quotient) if is_negative else np.int64(quotient)


@kernel
def multiply(a: int, b: int) -> int:
    """Return ``a * b``, or raise ``OverflowError`` if it does not fit int64."""
    first, second = _magnitude(a), _magnitude(b)
    if multiply_high(first, second) != _ZERO or first * second > _LARGEST:
        raise OverflowError("the product does not fit 64 bits")
    return a * b


def apportion(total: int, weights: np.ndarray) -> np.ndarray:
    """Divide a signed total in proportion to weights; the shares add up to it exactly.

    Every share is first rounded towards zero. The units left over go one each to the largest
    remainders (Hamilton's method), ties in the order of the weights.

    Parameters
    ----------
    total : signed integer amount, in any unit
    weights : integers, none negative, shape ``(n,)``, with a positive sum unless total is 0

    >>> apportion(10, np.array([1, 1, 1])).tolist()
    [4, 3, 3]
    """
    shares = np.zeros(weights.size, np.int64)
    apportion_into(total, weights, shares, np.zeros(weights.size, np.uint64))
    return shares


@kernel
def apportion_into(
    total: int, weights: np.ndarray, shares: np.ndarray, remainders: np.ndarray
) -> None:
    """Write the shares of :func:`apportion`; ``remainders`` (n,) uint64 is room to count in."""
    whole = _sum_of_weights(weights)
    shares[:] = 0
    if total == 0:
        return
    if whole == 0:
        raise ValueError("apportion: an amount cannot be divided when all weights are zero")
    left = _floor_shares(abs(total), weights, whole, shares, remainders)
    _hand_out(left, shares, remainders)
    if total < 0:
        for place in range(shares.size):
            shares[place] = -shares[place]


@kernel
def to_ticks(price: float, tick: float) -> int:
    """Round a price to whole ticks, halves to even: the one way from floats to ticks or lots.

    ``price`` and ``tick`` share a unit. The result is at least 1 tick from zero only if the price
    is; callers that need a positive price say so themselves.
    """
    ticks = np.rint(price / tick)
    if not abs(ticks) < 2.0**62:
        raise OverflowError("a price or quantity is not finite or too large for 64 bits")
    return np.int64(ticks)


@kernel
def _magnitude(value: int) -> int:
    """Return the absolute value as uint64, right for the smallest int64 too."""
    return np.uint64(-value) if value < 0 else np.uint64(value)


@kernel
def _rounds_away(quotient: int, rest: int, divisor: int, is_negative: bool, rounding: int) -> bool:
    """Tell whether a truncated quotient with a rest moves one unit away from zero."""
    if rounding == FLOOR:
        return is_negative
    if rounding == CEIL:
        return not is_negative
    if rounding == HALF_EVEN:
        missing = divisor - rest
        return rest > missing or (rest == missing and (quotient & _ONE) == _ONE)
    return False


@kernel
def _sum_of_weights(weights: np.ndarray) -> int:
    whole = np.int64(0)
    for weight in weights:
        if weight < 0:
            raise ValueError("apportion: a weight is negative")
        if weight > LARGEST - whole:
            raise OverflowError("apportion: the sum of the weights does not fit 64 bits")
        whole += weight
    return whole


@kernel
def _floor_shares(
    total: int, weights: np.ndarray, whole: int, shares: np.ndarray, remainders: np.ndarray
) -> int:
    """Fill shares rounded down and their remainders; return the units left over."""
    left = total
    for place in range(weights.size):
        first, second = _magnitude(total), _magnitude(weights[place])
        high, low = multiply_high(first, second), first * second
        quotient, rest = divide_wide(high, low, np.uint64(whole))
        shares[place] = np.int64(quotient)
        remainders[place] = rest
        left -= shares[place]
    return left


@kernel
def _hand_out(left: int, shares: np.ndarray, remainders: np.ndarray) -> None:
    """Give one unit each to the ``left`` largest remainders, ties in order of place."""
    if left == 0:
        return
    bar = _smallest_that_is_served(left, remainders)
    for place in range(shares.size):
        if remainders[place] > bar:
            shares[place] += 1
            left -= 1
    for place in range(shares.size):
        if left > 0 and remainders[place] == bar:
            shares[place] += 1
            left -= 1


@kernel
def _smallest_that_is_served(left: int, remainders: np.ndarray) -> int:
    """Return the ``left``-th largest remainder, by bisection on its bits (no sort, no scratch)."""
    bar = _ZERO
    for place in range(63, -1, -1):
        trial = bar | (_ONE << np.uint64(place))
        reached = 0
        for remainder in remainders:
            reached += remainder >= trial
        if reached >= left:
            bar = trial
    return bar
