from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.experiment.faults import ConfigFaults, Place
from stresslab.experiment.sources import from_file
from tests.toy_study import config, study


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    base = "a: {x: 1, y: {z: 2}}\npart: {kind: one, p: 1}\nlist: [1, 2]\ngone: {q: 1}\n"
    (tmp_path / "base.yaml").write_text(base)
    return tmp_path


def _extending(folder: Path, text: str) -> object:
    (folder / "study.yaml").write_text("extends: base.yaml\n" + text)
    source = from_file("study.yaml")
    assert source.faults == []
    return source


def test_mappings_merge_and_the_rest_is_replaced(folder: Path) -> None:
    source = _extending(folder, "a: {y: {w: 3}}\nlist: [9]\n")
    assert source.value["a"] == {"x": 1, "y": {"z": 2, "w": 3}}
    assert source.value["list"] == [9]


def test_a_mapping_with_a_kind_is_replaced_and_without_one_merged(folder: Path) -> None:
    assert _extending(folder, "part: {kind: two}\n").value["part"] == {"kind": "two"}
    merged = _extending(folder, "part: {p: 2}\n").value["part"]
    assert merged == {"kind": "one", "p": 2}


def test_null_removes_a_mapping_and_replaces_a_value(folder: Path) -> None:
    source = _extending(folder, "gone: null\na: {x: null}\n")
    assert "gone" not in source.value
    assert source.value["a"]["x"] is None


def test_places_name_the_file_that_was_written_last(folder: Path) -> None:
    source = _extending(folder, "a: {x: 5}\n")
    assert source.place(("a", "x")) == Place("study.yaml", 2, 8)
    assert source.place(("a", "y", "z")) == Place("base.yaml", 1, 18)
    assert source.place(("a", "y", "new")) == Place("base.yaml", 1, 14)


def test_settings_reach_defaults_and_dotted_names() -> None:
    path = "designs.response.points.grid.scenario.shocks.first.fall"
    checked = config(study(), "scenario.impact.coefficient=2", f"{path}=[0.4]")
    assert checked.values["scenario"]["impact"] == {"kind": "square_root", "coefficient": 2.0}
    assert [p.overrides[0].value for p in checked.designs[0].points] == [0.4]


def test_a_setting_of_null_removes_a_design() -> None:
    values = study()
    values["designs"]["gone"] = dict(values["designs"]["response"])
    assert set(config(values).values["designs"]) == {"response", "gone"}
    assert set(config(values, "designs.gone=null").values["designs"]) == {"response"}


def test_the_small_form_yields_to_settings() -> None:
    values = study(small={"scenario.duration_seconds": 5, "seed": 3})
    from stresslab.experiment.config import read_config
    from tests.toy_scenario import ToyScenario

    small = read_config(values, ["seed=4"], small=True, scenario=ToyScenario)
    assert small.values["scenario"]["duration_seconds"] == 5.0
    assert (small.name, small.seed) == ("toy_small", 4)
    assert config(values).seed == 7


def test_a_faulty_setting_is_named_as_such() -> None:
    with pytest.raises(ConfigFaults) as caught:
        config(study(), "scenario.traders.levered.leverage=500")
    assert str(caught.value) == (
        "<config>: 1 fault\n--set: scenario.traders.levered.leverage: 500 is outside [1, 125] x"
    )
