"""The book of the Black Thursday config has the depth that was measured, at one tenth."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from stresslab.core.declarations import build
from stresslab.experiment.config import read_config
from stresslab.market.limit_order_book import depth
from stresslab.model import StressModel
from stresslab.scenario import Scenario

CONFIGS = Path(__file__).parents[2] / "configs"
PROFILE = CONFIGS / "data" / "binance_btcusd_perp_2024-08-08_depth_profile.csv"
SCALE = 0.1


def test_depth_before_the_first_step_is_a_tenth_of_the_measured_profile() -> None:
    values = read_config(CONFIGS / "black_thursday_2020.yaml").values["scenario"]
    scenario = build(Scenario, values)
    with PROFILE.open(newline="") as stream:
        measured = {float(row["bp"]): float(row["bid_usd_mean"]) for row in csv.DictReader(stream)}

    floor = StressModel(scenario, seed=20200312, replicate=0).world.floor

    mid = float(floor.prices()[0])
    lot_usd = mid * scenario.assets["BTC"].unit_value / 1e6
    for points, tolerance in ((5, 0.1), (10, 0.35), (15, 0.25), (20, 0.1), (30, 0.1), (50, 0.1)):
        bids, _ = depth(floor.books, 0, int(mid * (1 - points / 1e4)) + 1, int(mid))
        assert bids * lot_usd == pytest.approx(SCALE * measured[points], rel=tolerance), points
