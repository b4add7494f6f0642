"""Sobol sequence in few dimensions, unscrambled, with points centred in their cells.

References
----------
Joe and Kuo (2008), "Constructing Sobol sequences with better two-dimensional projections",
SIAM J. Sci. Comput. 30, table new-joe-kuo-6.
"""

from __future__ import annotations

BITS = 30

#: Degree, coefficients and initial direction numbers of dimensions 2 to 10.
_DIRECTIONS = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
)


def sobol_unit(n_points: int, n_dimensions: int) -> list[list[float]]:
    """Return ``n_dimensions`` columns of the first ``n_points`` points, a power of two.

    Each coordinate lies in the middle of its interval of length 1 / n_points.

    >>> sobol_unit(4, 2)
    [[0.125, 0.625, 0.875, 0.375], [0.125, 0.625, 0.375, 0.875]]
    """
    return [_column(n_points, _direction_numbers(d)) for d in range(n_dimensions)]


def _column(n_points: int, directions: list[int]) -> list[float]:
    values, current = [], 0
    for place in range(n_points):
        values.append(current / (1 << BITS) + 0.5 / n_points)
        lowest_zero_bit = (~place & (place + 1)).bit_length() - 1
        current ^= directions[lowest_zero_bit]
    return values


def _direction_numbers(dimension: int) -> list[int]:
    if dimension == 0:
        return [1 << (BITS - 1 - bit) for bit in range(BITS)]
    degree, coefficients, initial = _DIRECTIONS[dimension - 1]
    numbers = [m << (BITS - 1 - bit) for bit, m in enumerate(initial)]
    for bit in range(degree, BITS):
        number = numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        for k in range(1, degree):
            if (coefficients >> (degree - 1 - k)) & 1:
                number ^= numbers[bit - k]
        numbers.append(number)
    return numbers
