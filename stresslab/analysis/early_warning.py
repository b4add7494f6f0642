"""Early-warning indicators over the runs of a study: which of them told the cascades in advance."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import polars as pl

from stresslab.analysis import intervals
from stresslab.analysis.fragility import SYSTEMIC
from stresslab.analysis.warning import auc
from stresslab.contagion.indicators import INDICATORS, lead_seconds
from stresslab.contagion.measures.cascade import share_accounts_liquidated
from stresslab.contagion.projection import Contagion

#: Part of the calm runs in which an alarm may go off.
FALSE_ALARMS = 0.1


def warnings(
    runs: Iterable[Contagion], systemic: float = SYSTEMIC, false_alarms: float = FALSE_ALARMS
) -> pl.DataFrame:
    """Score every indicator over runs, such as the replicates of one point or of a whole sweep.

    A run cascades if it liquidates more than ``systemic`` of all accounts; the event is the first
    breach of the episode with the most forced notional. ``auc`` scores the highest value before the
    first shock. The alarm ``level`` is the value that all but ``false_alarms`` of the calm runs
    stay below until the end; ``lead_seconds`` is the median time from alarm to event over the
    cascades that were warned of, which are ``share_warned`` of all. Without runs of both kinds they
    are null.
    """
    kept = list(runs)
    ends = [share_accounts_liquidated(run) > systemic for run in kept]
    rows = [(name, *_scored(kept, ends, name, false_alarms)) for name in INDICATORS]
    names = ("auc", "auc_low", "auc_high", "level", "share_warned", "lead_seconds", "lead_low",
             "lead_high")  # fmt: skip
    schema = {"indicator": pl.String, "n": pl.Int64, "cascades": pl.Int64}
    return pl.DataFrame(rows, {**schema, **dict.fromkeys(names, pl.Float64)}, orient="row")


def _scored(
    runs: list[Contagion], ends: list[bool], name: str, false_alarms: float
) -> tuple[float | int | None, ...]:
    values = [INDICATORS[name](run) for run in runs]
    scores = [_before_shock(run, path) for run, path in zip(runs, values, strict=True)]
    area = auc(scores, ends)
    calm = [float(path.max(initial=0.0)) for path, is_end in zip(values, ends, strict=True)
            if not is_end]  # fmt: skip
    fell = [(run, path) for run, path, is_end in zip(runs, values, ends, strict=True) if is_end]
    if not calm or not fell:
        return len(runs), len(fell), *area, None, None, None, None, None
    level = float(np.nextafter(np.quantile(calm, 1 - false_alarms, method="higher"), math.inf))
    leads = [lead_seconds(run, path, level, _event(run)) for run, path in fell]
    warned = [lead for lead in leads if not math.isnan(lead)]
    share = len(warned) / len(leads)
    return len(runs), len(fell), *area, level, share, *intervals.median(warned)


def _before_shock(run: Contagion, path: np.ndarray) -> float:
    """Return the highest value before the first shock, or that of the first step."""
    return float(path[: max(run.shock_row, 1)].max(initial=0.0))


def _event(run: Contagion) -> int:
    """Return the step of the first breach of the episode with the most forced notional."""
    notional = np.zeros(len(run.episodes.first_step), np.int64)
    np.add.at(notional, run.episodes.of, run.forced_notional)
    return int(run.episodes.first_step[int(notional.argmax())])
