from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stresslab.experiment.cells import Plan, make_plan, scenario_of
from stresslab.results.identity import RESULTS_VERSION, canonical
from tests.toy_study import FALL, config, study


def _plan(values: dict[str, Any] | None = None) -> Plan:
    return make_plan(config(values))


def _cells(values: dict[str, Any] | None = None) -> list[str]:
    return list(_plan(values).replicates)


def test_a_cell_is_what_it_is_made_from_not_where_it_stands() -> None:
    cells = _cells(study((0.1, 0.3)))
    assert len(set(cells)) == 8
    assert set(_cells(study((0.3, 0.2, 0.1)))) > set(cells)
    renamed = study((0.1, 0.3), title="other", name="other", record={"events": "all"})
    assert _cells(renamed) == cells


def test_seed_replicate_and_every_value_enter_the_identity() -> None:
    cells = set(_cells())
    assert not cells & set(_cells(study(seed=8)))
    values = study()
    values["scenario"]["traders"]["levered"]["stop_loss"] = 0.5
    assert not cells & set(_cells(values))
    written_default = study()
    written_default["scenario"]["traders"]["levered"]["leverage"] = 5
    assert set(_cells(written_default)) == cells


def test_the_order_of_names_enters_it_because_ids_follow_that_order() -> None:
    values = study()
    values["scenario"]["assets"] = dict(reversed(values["scenario"]["assets"].items()))
    assert not set(_cells()) & set(_cells(values))


def test_the_resolved_form_gives_back_each_scenario() -> None:
    plan = _plan()
    resolved = json.loads(canonical(plan.resolved))
    assert resolved["results_version"] == RESULTS_VERSION
    place = plan.places[-1]
    number = {cell: scenario for cell, scenario, _ in resolved["cells"]}[place.cell]
    scenario = scenario_of(resolved, number)
    assert scenario["shocks"]["first"]["fall"] == place.values[FALL] == 0.3
    assert scenario["traders"]["levered"]["mode"] == "isolated"
    assert list(scenario["assets"]) == ["ETH", "BTC"]


def _replaying(folder: Path, content: str) -> dict[str, Any]:
    file = folder / "bars.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    values = study()
    values["scenario"]["impact"] = {"kind": "replay", "file": str(file)}
    return values


def test_data_files_enter_by_content_not_by_place(tmp_path: Path) -> None:
    here = _plan(_replaying(tmp_path / "here", "1\n2\n"))
    there = _plan(_replaying(tmp_path / "there", "1\n2\n"))
    other = _plan(_replaying(tmp_path / "here", "1\n3\n"))
    assert canonical(here.resolved) == canonical(there.resolved)
    assert not set(here.replicates) & set(other.replicates)
    assert str(tmp_path) not in canonical(here.resolved)
    ((name, file),) = there.files.items()
    assert name.startswith("data/bars-")
    assert file == str(tmp_path / "there" / "bars.csv")


def test_data_files_of_an_arm_are_local_too(tmp_path: Path) -> None:
    replay = _replaying(tmp_path, "1\n2\n")["scenario"]["impact"]
    values = study()
    values["designs"]["response"]["arms"] = {"replay": {"scenario.impact": replay}}
    plan = _plan(values)
    (name,) = plan.files
    assert str(tmp_path) not in canonical(plan.resolved) + canonical(plan.written)
    assert scenario_of(plan.resolved, 0)["impact"] == {"kind": "replay", "file": name}
