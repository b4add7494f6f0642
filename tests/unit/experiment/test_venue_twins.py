"""A twin keeps what its cell was run with; it does not move to another venue."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stresslab.core.errors import ConfigError
from stresslab.experiment.cells import make_plan, scenario_of
from stresslab.experiment.config import read_config
from stresslab.experiment.twins import Changes, changed_scenario


def _run_of(values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return as much of a run as a twin asks for, and the complete scenario of its cell."""
    resolved = json.loads(json.dumps(make_plan(read_config(values)).resolved))
    run = SimpleNamespace(name="run", path=Path(), study={"seed": 1}, resolved=resolved)
    return run, scenario_of(resolved, 0)


def _values() -> dict[str, Any]:
    asset = {"initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    scenario = {
        "venue": "dydx", "step_seconds": 1, "duration_seconds": 5, "assets": {"X": asset},
        "margin": {"requirement": {"mid_cap": None}}, "liquidation": {"price_band": None},
        "traders": {"one": {"strategy": {"kind": "passive"}, "accounts": [{"wealth_usd": 1.0}]}},
    }  # fmt: skip
    return {
        "name": "run", "seed": 1, "scenario": scenario, "designs": {"d": {"replicates": 1}},
    }  # fmt: skip


def test_what_was_taken_away_from_a_venue_does_not_come_back() -> None:
    run, scenario = _run_of(_values())
    assert scenario["margin"]["requirement"] == {}

    assert changed_scenario(run, scenario, Changes()) == scenario
    changed = changed_scenario(run, scenario, Changes(settings=["scenario.liquidation.adl=false"]))
    assert changed == {**scenario, "liquidation": {**scenario["liquidation"], "adl": False}}


def test_a_twin_on_another_venue_is_refused() -> None:
    run, scenario = _run_of(_values())

    with pytest.raises(ConfigError, match="compare venues as arms"):
        changed_scenario(run, scenario, Changes(settings=["scenario.venue=okx"]))
