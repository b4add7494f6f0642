"""What can be said about a cascade before it happens, from first positions, rules and impact.

These need no simulation: a :class:`Venue` says who would be forced to close what at which prices,
and what closing does to prices.
"""

from stresslab.contagion.theory.cascade import State, cascade
from stresslab.contagion.theory.course import Course, unfold
from stresslab.contagion.theory.distance import distance_to_cascade
from stresslab.contagion.theory.growth import growth_matrix, radius_at
from stresslab.contagion.theory.map import liquidation_map
from stresslab.contagion.theory.stability import Branches, branches
from stresslab.contagion.theory.venue import Room, Venue, unlimited

__all__ = [
    "Branches",
    "Course",
    "Room",
    "State",
    "Venue",
    "branches",
    "cascade",
    "distance_to_cascade",
    "growth_matrix",
    "liquidation_map",
    "radius_at",
    "unfold",
    "unlimited",
]
