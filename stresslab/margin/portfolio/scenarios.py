"""Scenarios of the grid: how far spot and volatility move, and how much of the loss counts."""

from __future__ import annotations

from typing import NamedTuple

#: Moves of volatility: as it is, up, down, and two turns of the surface at unmoved spot.
NONE, UP, DOWN, LINEAR, ABSOLUTE = "none", "up", "down", "linear", "absolute"
MOVES = (NONE, UP, DOWN, LINEAR, ABSOLUTE)


class Scenario(NamedTuple):
    """One scenario; ``damping`` is the part of its change in value that counts."""

    spot_factor: float
    volatility: str = NONE
    damping: float = 1.0


def standard_scenarios() -> tuple[Scenario, ...]:
    """Return the venue's 31 scenarios.

    Spot by 0, ±4.5, ±9, ±13.5 % with each move of volatility and ±18 % with volatility up; tails
    from -66 % to +300 %, which count as much as a fifth of the loss at 18 % would; two turns of
    the surface.

    References
    ----------
    Derive, portfolio margin risk manager 2.

    >>> len(standard_scenarios())
    31
    """
    inner = [1 + step * 0.045 for step in (3, 2, 1, 0, -1, -2, -3)]
    regular = [Scenario(spot, move) for spot in inner for move in (DOWN, NONE, UP)]
    outer = [Scenario(1.18, UP), Scenario(0.82, UP)]
    tails = [
        Scenario(1 + move, UP, 0.18 * 0.2 / abs(move)) for move in (-0.66, -0.33, 0.5, 1, 2, 3)
    ]
    return (*outer, *regular, *tails, Scenario(1, LINEAR), Scenario(1, ABSOLUTE))
