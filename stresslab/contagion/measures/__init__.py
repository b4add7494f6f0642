"""Measures of contagion: one number each from one run, all named in :data:`MEASURES`.

To add one, write its function in a file of this folder and add one line to the file's ``MEASURES``;
a new file is added to the tuple below. Counts and money are 0 where nothing happened; shares,
ratios and durations are NaN where they are undefined. Nothing is ever infinite.
"""

from stresslab.contagion.measures import (
    activity,
    branching,
    cascade,
    concentration,
    losses,
    pools,
    prices,
    radius,
    spill,
)
from stresslab.contagion.measures.measure import Measure

#: Files of measures, in the order of the outcomes.
_PARTS = (cascade, pools, spill, branching, radius, losses, concentration, prices, activity)

MEASURES: dict[str, Measure] = {
    measure.name: measure for part in _PARTS for measure in part.MEASURES
}

__all__ = ["MEASURES", "Measure"]
