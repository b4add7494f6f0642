"""A venue is the base of a scenario; what the config says itself lies over it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stresslab.core.errors import ConfigError
from stresslab.experiment.cells import make_plan, scenario_of
from stresslab.experiment.config import Config, read_config
from stresslab.experiment.venues import read_pack
from stresslab.experiment.written import config_text
from stresslab.scenario import VENUES

ROOT = Path(__file__).parents[3]
every_venue = pytest.mark.parametrize("venue", VENUES)


def study(venue: str | None = "hyperliquid", **scenario: Any) -> dict[str, Any]:
    """Return a study of two perpetuals and a spot asset on a venue."""
    asset = {"initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    assets = {"BTC": asset, "XYZ": asset, "BOND": {**asset, "kind": "spot"}}
    one = {"strategy": {"kind": "passive"}, "accounts": [{"wealth_usd": 1000.0}]}
    return {
        "name": "venues",
        "seed": 1,
        "scenario": {
            "venue": venue,
            "step_seconds": 1,
            "duration_seconds": 5,
            "assets": assets,
            "traders": {"one": one},
            **scenario,
        },
        "designs": {"all": {"replicates": 1}},
    }


def resolved(values: dict[str, Any], *settings: str, small: bool = False) -> dict[str, Any]:
    """Return the complete scenario."""
    found: dict[str, Any] = read_config(values, settings, small=small).values["scenario"]
    return found


def cells(config: Config) -> dict[str, dict[str, Any]]:
    """Return the complete scenario of every arm."""
    plan = make_plan(config)
    kept = json.loads(json.dumps(plan.resolved))
    numbers = {cell: number for cell, number, _ in kept["cells"]}
    return {place.arm: scenario_of(kept, numbers[place.cell]) for place in plan.places}


def test_there_are_at_least_eight_and_they_lie_where_configs_are() -> None:
    assert len(VENUES) >= 8
    assert {"binance", "bybit", "okx", "bitmex", "hyperliquid", "dydx", "paradex"} < set(VENUES)
    assert {file.stem for file in (ROOT / "configs" / "venues").glob("*.yaml")} == set(VENUES)
    assert (ROOT / "configs" / "venues").resolve() == ROOT / "stresslab" / "venues"


@every_venue
def test_one_line_makes_a_whole_scenario(venue: str) -> None:
    found = resolved(study(venue))
    pack = read_pack(venue).value["scenario"]

    assert found["venue"] == venue
    assert found["market"]["fees"] == pack["market"]["fees"]
    assert found["margin"]["cross"]["closure"].items() >= pack["margin"]["cross"]["closure"].items()
    assert set(found["margin"]["brackets"]) == {"BTC", "XYZ"}
    assert set(found["margin"]["collateral"]) <= {"BOND"}


@every_venue
def test_a_pack_names_its_sources_by_stage(venue: str) -> None:
    values = read_pack(venue).value

    assert set(values) == {
        "title", "summary", "sources", "differs", "displayed_price", "scenario",
    }  # fmt: skip
    stages = {"margin", "trigger", "closure", "fees", "waterfall", "adl", "funding", "marks"}
    assert set(values["sources"]) == stages
    assert all(len(source) > 10 for source in values["sources"].values())


@every_venue
def test_a_pack_says_nothing_of_people_assets_books_and_shocks(venue: str) -> None:
    scenario = read_pack(venue).value["scenario"]

    assert set(scenario) <= {"market", "margin", "liquidation"}
    assert not {"book", "index", "shocks"} & set(scenario["market"])


def test_an_asset_gets_its_own_table_or_the_default() -> None:
    brackets = resolved(study())["margin"]["brackets"]
    pack = read_pack("hyperliquid").value["scenario"]["margin"]["brackets"]

    assert brackets["BTC"] == pack["BTC"]
    assert brackets["XYZ"] == pack["default"] != pack["BTC"]


def test_own_values_win_and_the_rest_of_a_part_stays() -> None:
    own = {"margin": {"cross": {"closure": {"share": 0.5}, "penalty_rate": 0.01}}}
    found = resolved(study(**own))["margin"]

    assert found["cross"]["closure"]["share"] == 0.5
    assert found["cross"]["closure"]["above_usd"] == 100_000
    assert found["cross"]["penalty_rate"] == 0.01
    assert found["isolated"]["penalty_rate"] == 0


def test_another_kind_replaces_the_part_of_the_venue() -> None:
    found = resolved(study(margin={"cross": {"closure": {"kind": "whole"}}}))

    assert found["margin"]["cross"]["closure"] == {"kind": "whole"}


def test_null_takes_away_what_the_venue_has() -> None:
    assert resolved(study("dydx"))["liquidation"]["price_band"]["spread"] == 1.5
    assert resolved(study("dydx", liquidation={"price_band": None}))["liquidation"][
        "price_band"
    ] is None  # fmt: skip


def test_a_part_of_the_requirement_falls_on_the_assets_without_a_table() -> None:
    parts = resolved(study("dydx"))["margin"]["requirement"]
    assert parts["mid_cap"]["assets"] == ["XYZ"]

    only_large = study("dydx")
    del only_large["scenario"]["assets"]["XYZ"]
    assert resolved(only_large)["margin"]["requirement"] == {}


def test_a_default_of_collateral_is_for_spot() -> None:
    assert list(resolved(study("okx"))["margin"]["collateral"]) == ["BOND"]


@pytest.mark.parametrize("venue", [None, "binance"])
def test_settings_and_the_quick_form_choose_the_venue_too(venue: str | None) -> None:
    values = study(venue)
    values["small"] = {"scenario.venue": "paradex"}

    found = resolved(
        values, "scenario.venue=span", "scenario.margin.isolated.closure.leg=most_liquid"
    )
    assert found["venue"] == "span"
    assert found["market"]["circuit_breaker"]["move"] == 0.07
    assert found["margin"]["isolated"]["closure"]["leg"] == "most_liquid"
    assert resolved(values, small=True)["liquidation"]["liquidation_target"] == 0.9


def test_arms_may_stand_on_different_venues() -> None:
    values = study(liquidation={"insurance_fund_usd": 5.0})
    values["designs"]["all"]["arms"] = {
        "own": {},
        "dydx": {"scenario.venue": "dydx", "scenario.liquidation.price_band.spread": 1.25},
        "okx": {"scenario.venue": "okx"},
    }
    found = cells(read_config(values))

    assert {arm: cell["venue"] for arm, cell in found.items()} == {
        "own": "hyperliquid", "dydx": "dydx", "okx": "okx",
    }  # fmt: skip
    expected = resolved(study("dydx", liquidation={"insurance_fund_usd": 5.0}))
    expected["liquidation"]["price_band"]["spread"] = 1.25
    assert found["dydx"] == expected
    assert found["okx"] == resolved(study("okx", liquidation={"insurance_fund_usd": 5.0}))


def test_controls_and_points_lie_over_the_venue_of_an_arm() -> None:
    values = study()
    values["designs"]["all"] = {
        "replicates": 1,
        "arms": {"dydx": {"scenario.venue": "dydx"}},
        "controls": {"still": {"scenario.liquidation.feedback": "no_feedback"}},
        "points": {"grid": {"scenario.margin.cross.penalty_rate": [0.02]}},
    }
    config = read_config(values)
    found = cells(config)["dydx"]

    assert found["liquidation"]["feedback"] == "no_feedback"
    assert found["liquidation"]["price_band"]["kind"] == "fillable"
    assert found["margin"]["cross"]["penalty_rate"] == 0.02


def test_points_may_be_venues() -> None:
    values = study()
    values["designs"]["all"]["points"] = {"grid": {"scenario.venue": ["okx", "span"]}}
    places = make_plan(read_config(values)).places

    assert [place.values for place in places] == [
        {"scenario.venue": "okx"}, {"scenario.venue": "span"},
    ]  # fmt: skip
    assert len({place.cell for place in places}) == 2


def test_what_was_written_is_kept_without_the_pack_and_gives_the_same_again() -> None:
    values = study("dydx", liquidation={"price_band": None, "adl": False})
    values["designs"]["all"]["arms"] = {"a": {}, "okx": {"scenario.venue": "okx"}}
    config = read_config(values, ["scenario.margin.cross.penalty_rate=0.02"])

    assert "brackets" not in config_text(make_plan(config))
    again = read_config(config.written)
    assert again.values == config.values
    assert cells(again) == cells(config)


def test_what_a_setting_took_from_the_venue_stays_away_in_what_is_written() -> None:
    config = read_config(study("dydx"), ["scenario.liquidation.price_band=null"])
    assert resolved(study("dydx"))["liquidation"]["price_band"]
    assert config.values["scenario"]["liquidation"]["price_band"] is None
    assert read_config(config.written).values == config.values


def test_a_venue_that_a_config_file_extends_is_the_base_of_both(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(json.dumps(study("okx", liquidation={"adl": False})))
    over = {"extends": "base.yaml", "scenario": {"venue": "dydx"}}
    (tmp_path / "over.yaml").write_text(json.dumps(over))

    found = read_config(tmp_path / "over.yaml").values["scenario"]
    assert found == resolved(study("dydx", liquidation={"adl": False}))


def test_an_arm_s_own_rules_are_judged_on_its_venue() -> None:
    values = study(liquidation={"price_band": {"kind": "fillable", "spread": 1.0}})
    values["scenario"]["liquidation"]["price_band"] = {"kind": "from_mark", "distance": 0.1}
    values["scenario"]["margin"] = {"cross": {"closure": {"share": 0.5}}}
    values["designs"]["all"]["arms"] = {"okx": {"scenario.venue": "okx"}}

    with pytest.raises(
        ConfigError, match=r"on this venue scenario.margin.cross.closure.share: unk"
    ):
        read_config(values)
