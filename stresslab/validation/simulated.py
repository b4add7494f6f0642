"""Runs a scenario as any user's config would be run: checked in full, then simulated."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stresslab.results.frames import Tables


def changed(scenario: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a scenario with other values at some paths, keys joined by dots."""
    there = copy.deepcopy(dict(scenario))
    for path, value in changes.items():
        *above, last = path.split(".")
        place = there
        for key in above:
            place = place[key]
        place[last] = value
    return there


def simulated(
    scenario: Mapping[str, Any], seed: int, replicate: int = 0
) -> tuple[Tables, Mapping[str, float]]:
    """Return the event log and the outcomes of one scenario of the public config schema.

    Raises
    ------
    ConfigFaults
        With every fault of the scenario.
    """
    from stresslab.experiment.simulation import simulate

    tables, outcomes, _ = simulate(_checked(scenario, seed), seed, replicate, Path())
    return tables, outcomes


def event_log(scenario: Mapping[str, Any], seed: int, replicate: int = 0) -> Tables:
    """Return the event log of one scenario of the public config schema, and measure nothing.

    Raises
    ------
    ConfigFaults
        With every fault of the scenario.
    """
    from stresslab.experiment.simulation import play

    return play(_checked(scenario, seed), seed, replicate, Path())


def _checked(scenario: Mapping[str, Any], seed: int) -> dict[str, Any]:
    from stresslab.experiment.config import read_config

    config = read_config({"name": "validation", "seed": seed, "scenario": dict(scenario),
                          "designs": {"one": {"replicates": 1}}})  # fmt: skip
    checked: dict[str, Any] = config.values["scenario"]
    return checked
