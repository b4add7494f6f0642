"""Forecasts of removals over replicates: means of means, their intervals, and counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stresslab.analysis.importance import by_removal, forecasts, importance
from stresslab.contagion.importance import PREDICTIONS, SAYERS, SCORES


def removals(*cells: list[tuple[float, float, int, int]]) -> dict[str, list[Any]]:
    """Return removals of accounts: (area, area among the passive, saved, felled) each."""
    rows = []
    for replicate, cell in enumerate(cells):
        for place, (area, passive, saved, felled) in enumerate(cell, start=1):
            row: dict[str, Any] = {
                "cell": f"c{replicate}", "kind": "account", "name": str(10 * replicate + place),
                "place": place, "fell": 9, "saved": saved, "felled": felled,
                "saved_usd": 100.0 * saved, "passive": 4, "passive_saved": min(saved, 1),
            }  # fmt: skip
            for name in SCORES:
                row |= {f"auc_{name}": area, f"passive_auc_{name}": passive}
            for name in SAYERS:
                row |= {f"{name}_saved": 3, f"{name}_right": 1}
            row |= dict.fromkeys(PREDICTIONS, 7.0 * place)
            rows.append(row)
        rows.append({**rows[-1], "kind": "rule", "name": "feedback", "place": None, "saved": 5})
    return {name: [row[name] for row in rows] for name in rows[0]}


NAN = math.nan
TWO = (
    [(0.9, 1.0, 3, 0), (0.7, NAN, 2, 1), (NAN, NAN, 0, 4)],
    [(0.6, 0.8, 1, 2), (NAN, NAN, 0, 0), (NAN, NAN, 0, 1)],
)


def test_areas_are_means_of_replicates() -> None:
    """Means of 0.8 and 0.6: 0.7, and 12.706 times 0.1 on either side of it is cut to [0, 1].

    At the level of a half, Student's quantile of one degree is 1.
    """
    row = {name: column[0] for name, column in forecasts(removals(*TWO)).items()}
    assert row["forecast"] == "shadow" and row["n_replicates"] == 2
    assert (row["auc"], row["least_auc"], row["n_auc"]) == (pytest.approx(0.7), 0.6, 3)
    assert (row["auc_low"], row["auc_high"]) == (0.0, 1.0)
    half = forecasts(removals(*TWO), level=0.5)
    assert (half["auc_low"][0], half["auc_high"][0]) == pytest.approx((0.6, 0.8), abs=1e-9)
    assert (row["passive_auc"], row["n_passive_auc"]) == (pytest.approx(0.9), 2)
    assert row["rank_correlation"] == pytest.approx((-1 - math.sqrt(3) / 2) / 2), "of 3 2 0, 1 0 0"
    assert (row["right"], row["foretold"], row["saved"], row["felled"]) == (6, 18, 6, 8)
    assert (row["others"], row["passive"], row["passive_saved"]) == (54, 24, 3)


def test_what_says_nothing_has_no_rescues_and_no_order() -> None:
    found = forecasts(removals(*TWO))
    rows = dict(zip(found["forecast"], zip(*found.values(), strict=True), strict=True))
    at = list(found).index
    assert rows["size"][at("foretold")] is None and rows["size"][at("rank_correlation")] < 0
    assert rows["closeness"][at("rank_correlation")] is None


def test_several_replicates_share_the_largest() -> None:
    """The largest saved 3 and 1, whoever it was; the rule 5 in both."""
    found = by_removal(removals(*TWO))
    assert found["removal"] == ["account #1", "account #2", "account #3", "rule feedback"]
    assert found["saved"] == [2.0, 1.0, 0.0, 5.0] and found["felled"] == [1.0, 0.5, 2.5, 2.5]
    assert (found["saved_low"][0], found["saved_high"][0]) == pytest.approx((0, 14.706), abs=1e-3)
    assert found["saved_usd_low"][0] == pytest.approx(200 - 1270.62, abs=1e-2)
    assert found["shadow_right"] == [2, 2, 2, 2] and found["n"] == [2] * 4


def test_one_replicate_keeps_names_and_has_no_interval() -> None:
    found = importance(removals(TWO[0]))
    assert found.cell == "c0"
    assert found.effects["removal"] == ["account 1", "account 2", "account 3", "rule feedback"]
    assert found.effects["saved_low"] == [None] * 4
    assert found.forecasts["auc_low"] == [None] * len(SCORES)
    assert found.forecasts["auc"][0] == pytest.approx(0.8)
