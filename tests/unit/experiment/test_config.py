from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from stresslab.experiment.config import _copied
from stresslab.experiment.faults import ConfigFaults
from tests.toy_study import FALL, config, study


def _faults(values: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        config(values)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def _with_design(**changes: Any) -> dict[str, Any]:
    return study(designs={"response": {"replicates": 1, **changes}})


def test_what_is_read_shares_no_list_or_mapping_with_its_source() -> None:
    inner = [{"rate": 1.0}, [2, None]]
    source = MappingProxyType({"listed": inner, "text": "a"})
    copied = _copied({"study": source, "plain": [inner]})
    assert copied == {"study": {"listed": inner, "text": "a"}, "plain": [inner]}
    assert type(copied["study"]) is dict
    for mine in (copied["study"]["listed"], copied["plain"][0]):
        assert mine is not inner
        assert mine[0] is not inner[0] and mine[1] is not inner[1]


def test_every_default_is_written_out() -> None:
    values = config().values
    assert values["scenario"]["impact"] == {"kind": "square_root", "coefficient": 0.7}
    assert values["scenario"]["traders"]["levered"]["stop_loss"] is None
    assert values["record"] == {"events": "first_replicate"}
    assert isinstance(values["scenario"]["assets"]["BTC"]["tick_usd"], float)


def test_one_fault_does_not_breed_another() -> None:
    values = study(sead=1)
    del values["seed"]
    assert _faults(values) == ["sead: unknown parameter 'sead'; did you mean 'seed'?"]


def test_sound_parts_are_judged_beside_faulty_ones() -> None:
    values = study()
    values["scenario"]["assets"]["SOL"] = {"price_usd": 3.0, "tick_usd": 2.0}
    values["scenario"]["feedback"] = "loud"
    assert _faults(values) == [
        "scenario.assets.SOL.tick_usd: 3 USD is no whole number of ticks of 2",
        "scenario.feedback: found text 'loud'; expected one of market, none",
    ]


def test_an_override_may_lead_into_a_part_that_its_arm_puts_in_place() -> None:
    values = _with_design(
        arms={"exp": {"scenario.impact": {"kind": "exponential", "depth_lots": 3}}},
        points={"grid": {"scenario.impact.rate": [1, 2]}},
    )
    (design,) = config(values).designs
    assert [point.overrides[0].value for point in design.points] == [1.0, 2.0]


def test_it_must_do_so_under_every_arm() -> None:
    arms = {"exp": {"scenario.impact": {"kind": "exponential", "depth_lots": 3}}, "base": {}}
    values = _with_design(arms=arms, points={"grid": {"scenario.impact.rate": [1]}})
    (fault,) = _faults(values)
    assert fault.endswith(
        "with arm 'base', control 'feedback', point 0 there is no such parameter, "
        "so nothing is overridden"
    )


def test_every_scenario_of_a_design_is_judged() -> None:
    """Neither override is wrong alone: 2 USD is whole ticks of 2, 100 USD too, 51 USD is not."""
    values = _with_design(
        arms={"odd": {"scenario.assets.BTC.price_usd": 51}},
        points={"grid": {"scenario.assets.BTC.tick_usd": [1, 2]}},
    )
    assert config(_with_design(arms={"a": {"scenario.assets.BTC.price_usd": 51}})).designs
    (fault,) = _faults(values)
    assert "with arm 'odd', control 'feedback', point 1" in fault
    assert fault.endswith("51 USD is no whole number of ticks of 2")


def test_an_arm_that_names_an_unknown_asset_is_refused() -> None:
    (fault,) = _faults(_with_design(arms={"a": {"scenario.shocks.first.assets": ["BTC", "DOT"]}}))
    assert fault.startswith("designs.response.arms.a.scenario.shocks.first.assets: with arm 'a'")
    assert fault.endswith("unknown asset 'DOT'")


def test_items_of_lists_can_be_overridden() -> None:
    values = _with_design(arms={"eth": {"scenario.shocks.first.assets.0": "ETH"}})
    assert config(values).designs[0].arms[0].overrides[0].steps[-1] == 0
    (fault,) = _faults(_with_design(arms={"eth": {"scenario.shocks.first.assets.1": "ETH"}}))
    assert "'scenario.shocks.first.assets' has no '1'" in fault


def test_the_same_path_in_arm_and_point_is_refused() -> None:
    (fault,) = _faults(_with_design(arms={"a": {FALL: 0.1}}, points={"zip": {FALL: [0.2]}}))
    assert fault == (
        f"designs.response.points.zip.{FALL}: "
        "overridden by an arm and by a point; one of them must leave it"
    )


def test_data_files_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bars.csv").write_text("1\n2\n")
    (tmp_path / "base.yaml").write_text(
        "name: a\nseed: 1\nscenario:\n  assets: {BTC: {price_usd: 1}}\n"
        "  impact: {kind: replay, file: data/bars.csv}\ndesigns: {d: {replicates: 1}}\n"
    )
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "study.yaml").write_text("extends: ../base.yaml\n")
    from stresslab.experiment.config import read_config
    from tests.toy_scenario import ToyScenario

    checked = read_config(tmp_path / "below" / "study.yaml", scenario=ToyScenario)
    assert checked.values["scenario"]["impact"]["file"] == str(tmp_path / "data" / "bars.csv")
