"""One rule for intervals over replicates, for every measure that is made of one run."""

from __future__ import annotations

import math
from collections.abc import Iterable

import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.intervals import LEVEL
from stresslab.contagion.keyed import KEYED
from stresslab.contagion.measures import MEASURES
from stresslab.contagion.projection import Contagion
from stresslab.core.errors import ConfigError

Key = tuple[str | float, ...]


def over_replicates(measure: str, runs: Iterable[Contagion], level: float = LEVEL) -> pl.DataFrame:
    """Return a measure's mean over replicates with Student's interval, key by key.

    The rule is the same for all: a replicate in which the measure is undefined (NaN) is left out
    and counted; a key that only some replicates have counts 0 in the others where that means that
    nothing was paid or sold (:attr:`Keyed.absent`), and as undefined elsewhere. One replicate has
    a mean and no interval. Ratios of sums (branching, amplification) and shares (frequency of
    systemic cascades) have rules of their own beside this one.

    Parameters
    ----------
    measure : a name in ``MEASURES``, which gives one row, or in ``KEYED``
    runs : the replicates of one point and arm

    Returns
    -------
    One row per key and value, sorted by key: the key columns, ``value``, ``n`` (replicates in which
    it is defined), ``n_undefined``, ``mean``, ``low``, ``high``.

    Raises
    ------
    ConfigError
        For a name in neither table.
    """
    keys, values, absent, found = _rows(measure, list(runs))
    rows = []
    for key in sorted({key for run in found for key in run}):
        for place, value in enumerate(values):
            all_runs = [run[key][place] if key in run else absent for run in found]
            defined = [number for number in all_runs if not math.isnan(number)]
            counts = (len(defined), len(all_runs) - len(defined))
            rows.append((*key, value, *counts, *intervals.student(defined, level)))
    schema: dict[str, type[pl.DataType]] = {
        **{key: pl.Float64 if key == "accounts_share" else pl.String for key in keys},
        "value": pl.String,
        "n": pl.Int64,
        "n_undefined": pl.Int64,
        **dict.fromkeys(("mean", "low", "high"), pl.Float64),
    }
    return pl.DataFrame(rows, schema, orient="row")


def _rows(
    measure: str, runs: list[Contagion]
) -> tuple[tuple[str, ...], tuple[str, ...], float, list[dict[Key, list[float]]]]:
    """Return key names, value names, what an absent key counts, and the values of every run."""
    if measure in MEASURES:
        scalars: list[dict[Key, list[float]]] = [
            {(): [float(MEASURES[measure].function(run))]} for run in runs
        ]
        return (), (measure,), math.nan, scalars
    if measure not in KEYED:
        raise ConfigError(f"measure {measure!r} is unknown, allowed are {', '.join(KEYED)} and "
                          "the columns of the outcomes")  # fmt: skip
    kind = KEYED[measure]
    found: list[dict[Key, list[float]]] = []
    for run in runs:
        columns = kind.function(run)
        numbers = zip(*(columns[name].tolist() for name in kind.values), strict=True)
        keys = [columns[name].tolist() for name in kind.keys]
        names = zip(*keys, strict=True) if keys else iter([()])
        found.append({key: [float(v) for v in row]
                      for key, row in zip(names, numbers, strict=True)})  # fmt: skip
    return kind.keys, kind.values, kind.absent, found
