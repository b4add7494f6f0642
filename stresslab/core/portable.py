"""Elementary functions built from correctly rounded operations only.

``log`` and ``exp`` of the C library differ in the last digit between processors. These use only
+, -, *, / and square root, which IEEE 754 rounds in one way, so they agree everywhere to the bit.
"""

from __future__ import annotations

import math

import numpy as np

from stresslab.core.compiled import kernel

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_HALF = 0.7071067811865476
_INVERSE_LN2 = 1.4426950408889634

# Coefficients of Wichura's rational functions, from the highest power down.
_CENTRE_UPPER = (
    2509.0809287301227,
    33430.57558358813,
    67265.7709270087,
    45921.95393154987,
    13731.69376550946,
    1971.5909503065513,
    133.14166789178438,
    3.3871328727963665,
)
_CENTRE_LOWER = (
    5226.495278852854,
    28729.085735721943,
    39307.89580009271,
    21213.794301586597,
    5394.196021424751,
    687.1870074920579,
    42.31333070160091,
    1.0,
)
_MIDDLE_UPPER = (
    0.0007745450142783414,
    0.022723844989269184,
    0.2417807251774506,
    1.2704582524523684,
    3.6478483247632045,
    5.769497221460691,
    4.630337846156546,
    1.4234371107496835,
)
_MIDDLE_LOWER = (
    1.0507500716444169e-09,
    0.0005475938084995345,
    0.015198666563616457,
    0.14810397642748008,
    0.6897673349851,
    1.6763848301838038,
    2.053191626637759,
    1.0,
)
_FAR_UPPER = (
    2.0103343992922881e-07,
    2.7115555687434876e-05,
    0.0012426609473880784,
    0.026532189526576124,
    0.29656057182850487,
    1.7848265399172913,
    5.463784911164114,
    6.657904643501103,
)
_FAR_LOWER = (
    2.0442631033899397e-15,
    1.421511758316446e-07,
    1.8463183175100548e-05,
    0.0007868691311456133,
    0.014875361290850615,
    0.1369298809227358,
    0.599832206555888,
    1.0,
)


@kernel
def log(value: float) -> float:
    """Return the natural logarithm of a positive finite number, within one unit of the last place.

    References
    ----------
    The reduction is value = 2**k * m with m in [sqrt(1/2), sqrt(2)) and the series is that of
    log((1 + s) / (1 - s)) = 2 s + 2 s**3 / 3 + ..., s = (m - 1) / (m + 1), summed in full.
    """
    mantissa, exponent = math.frexp(value)
    if mantissa < _SQRT_HALF:
        mantissa *= 2.0
        exponent -= 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    square = s * s
    series = 0.0
    for odd in range(23, 1, -2):
        series = square * (series + 1.0 / odd)
    half_square = 0.5 * f * f
    tail = s * (half_square + 2.0 * series)
    return exponent * _LN2_HIGH - ((half_square - (tail + exponent * _LN2_LOW)) - f)


@kernel
def exp(value: float) -> float:
    """Return e to the power of ``value`` (at most 700), within two units of the last place.

    What is below -700 gives 0.

    References
    ----------
    The reduction is value = k log 2 + r with |r| <= log(2) / 2; the Taylor series of exp(r) is
    summed in full.
    """
    if not value <= 700.0:
        raise OverflowError("the argument of exp must be a number and at most 700")
    if value < -700.0:
        return 0.0
    exponent = np.rint(value * _INVERSE_LN2)
    high = value - exponent * _LN2_HIGH
    low = exponent * _LN2_LOW
    r = high - low
    series = 0.0
    for order in range(15, 1, -1):
        series = (r / order) * (1.0 + series)
    return math.ldexp(1.0 + (r + r * series), int(exponent))


@kernel
def power(base: float, exponent: float) -> float:
    """Return a number that is not negative to a positive power."""
    return exp(exponent * log(base)) if base > 0.0 else 0.0


@kernel
def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile of a probability in (0, 1); relative error 1e-16.

    References
    ----------
    Wichura (1988), Algorithm AS 241: the percentage points of the normal distribution, Applied
    Statistics 37, 477-484, routine PPND16.
    """
    q = probability - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _ratio(_CENTRE_UPPER, _CENTRE_LOWER, r)
    tail = probability if q < 0.0 else 1.0 - probability
    r = math.sqrt(-log(tail))
    if r <= 5.0:
        value = _ratio(_MIDDLE_UPPER, _MIDDLE_LOWER, r - 1.6)
    else:
        value = _ratio(_FAR_UPPER, _FAR_LOWER, r - 5.0)
    return -value if q < 0.0 else value


@kernel
def _ratio(upper: tuple[float, ...], lower: tuple[float, ...], r: float) -> float:
    """Return the quotient of two polynomials, coefficients from the highest power down."""
    numerator, denominator = upper[0], lower[0]
    for place in range(1, 8):
        numerator = numerator * r + upper[place]
        denominator = denominator * r + lower[place]
    return numerator / denominator
