"""Robust yet fragile: how often a cascade is systemic, and how far it then goes."""

from __future__ import annotations

import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.frames import column, finished, groups, keys, table
from stresslab.analysis.intervals import LEVEL

#: A cascade is systemic if it liquidates more than this share of accounts.
SYSTEMIC = 0.05


def fragility(
    frame: pl.DataFrame,
    extent: str = "share_accounts_liquidated",
    systemic: float = SYSTEMIC,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return frequency and conditional extent of systemic cascades at every point and arm.

    ``frequency`` is the share of replicates whose extent exceeds ``systemic`` (Wilson's interval);
    ``extent`` the mean extent of those alone (bootstrap), null where there is none.

    Parameters
    ----------
    frame
        The outcomes frame.
    extent
        The outcome that says how far a cascade went, a fraction.

    References
    ----------
    Gai and Kapadia (2010), Contagion in financial networks, Proceedings of the Royal Society A 466,
    2401-2423, figure 2.
    """
    rows = []
    for key, cells in groups(finished(frame), keys(frame)):
        values = column(cells, extent)
        far = [value for value in values if value > systemic]
        often = intervals.wilson(len(far), len(values), level)
        reach = intervals.bootstrap(far, level)
        rows.append([*key, len(values), *often, *reach])
    names = ("frequency", "frequency_low", "frequency_high", "extent", "extent_low", "extent_high")
    return table(frame, keys(frame), rows, {"n": int, **dict.fromkeys(names, float)})
