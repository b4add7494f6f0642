"""Episodes: from a first breach until nothing has been in liquidation for a while."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, as_int

#: Seconds without any pool in liquidation that end an episode.
QUIET_SECONDS = 30.0


class Episodes(NamedTuple):
    """Spans of steps in which some pool was in liquidation; (n_episodes,) but ``of``."""

    first_step: np.ndarray
    last_step: np.ndarray
    is_complete: np.ndarray  # the quiet time passed before the run ended
    of: np.ndarray  # (n_liquidations,) episode of each liquidation, in order of id


def step_seconds(tables: Tables) -> float:
    """Return the length of a step, NaN for a run without steps."""
    seconds = tables["totals"]["seconds"]
    if not len(seconds):
        return math.nan
    span = float(seconds.max() - seconds.min())
    return span / (len(seconds) - 1) if len(seconds) > 1 else float(seconds[0])


def last_step(tables: Tables) -> int:
    """Return the last step of the run, -1 for a run without steps."""
    steps = tables["totals"]["step"]
    return int(steps.max()) if len(steps) else -1


def quiet_steps(tables: Tables, quiet_seconds: float = QUIET_SECONDS) -> int:
    """Return K, the whole steps that make up the quiet time, at least one."""
    length = step_seconds(tables)
    return max(1, math.ceil(quiet_seconds / length)) if length > 0 else 1


def spells(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last step of each liquidation in order of id; open ones last to the end."""
    rows = tables["liquidations"]
    order = np.argsort(as_int(rows["liquidation"]), kind="stable")
    first, end = as_int(rows["step"])[order], as_int(rows["end_step"])[order]
    is_open = np.asarray(rows["outcome"] == "open", dtype=bool)[order]
    return first, np.maximum(np.where(is_open, last_step(tables), end), first)


def episodes(tables: Tables, quiet: int) -> Episodes:
    """Group liquidations into episodes that lie at least ``quiet`` steps apart."""
    first, last = spells(tables)
    order = np.argsort(first, kind="stable")
    busy_until = np.maximum.accumulate(last[order])
    is_new = np.ones(len(order), bool)
    is_new[1:] = first[order][1:] - busy_until[:-1] > quiet
    starts = np.flatnonzero(is_new)
    ends = busy_until[np.append(starts[1:], len(order)) - 1] if len(starts) else starts
    of = np.empty(len(order), np.int64)
    of[order] = np.cumsum(is_new) - 1
    return Episodes(first[order][starts], ends, last_step(tables) - ends >= quiet, of)
