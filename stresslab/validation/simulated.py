"""Runs a scenario as any user's config would be run: checked in full, then simulated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stresslab.results.frames import Tables


def simulated(
    scenario: Mapping[str, Any], seed: int, replicate: int = 0
) -> tuple[Tables, Mapping[str, float]]:
    """Return the event log and the outcomes of one scenario of the public config schema.

    Raises
    ------
    ConfigFaults
        With every fault of the scenario.
    """
    from stresslab.experiment.config import read_config
    from stresslab.experiment.simulation import simulate

    config = read_config({"name": "validation", "seed": seed, "scenario": dict(scenario),
                          "designs": {"one": {"replicates": 1}}})  # fmt: skip
    tables, outcomes, _ = simulate(config.values["scenario"], seed, replicate, Path())
    return tables, outcomes
