"""Measures of contagion: one number each from one run, all named in :data:`MEASURES`.

To add one, write its function in a file of this folder and add one line to the file's ``MEASURES``;
a new file is added to the tuple below. Counts and money are 0 where nothing happened; shares,
ratios and durations are NaN where they are undefined. Nothing is ever infinite.
"""

from stresslab.contagion.measures import (
    activity,
    branching,
    cascade,
    losses,
    pools,
    prices,
    spill,
)
from stresslab.contagion.measures.measure import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for part in (cascade, pools, spill, branching, losses, prices, activity)
    for measure in part.MEASURES
}

__all__ = ["MEASURES", "Measure"]
