"""The outcomes of one run: one row, one column per measure."""

from __future__ import annotations

from stresslab.contagion.columns import Tables
from stresslab.contagion.measures import MEASURES, Measure
from stresslab.contagion.projection import Contagion

#: The columns of the outcomes, in order.
OUTCOMES: dict[str, Measure] = MEASURES


def measure(tables: Tables) -> dict[str, int | float]:
    """Check the event log of a run and return its outcomes.

    Columns that end in ``_usd`` are USD, shares are fractions, durations are seconds; NaN where a
    ratio or a duration is undefined.
    """
    return outcomes(Contagion(tables))


def outcomes(run: Contagion) -> dict[str, int | float]:
    """Return the same for a projection that is already at hand."""
    run.check()
    return {name: measure.type(measure.function(run)) for name, measure in OUTCOMES.items()}
