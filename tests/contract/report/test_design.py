"""What a design varies is named and laid out: on an axis, in rows, or as scattered points."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from stresslab.report.drawing import Drawing, drawings
from stresslab.report.factors import factors
from stresslab.report.html import Absent
from stresslab.report.source import Source, sources
from stresslab.results.run import Run
from tests.contract.report.toy_run import FALL, FALLS, FUND, FUNDS, REPLICATES, ToyRun

COUNTS = ("scenario.traders.levered.count", "scenario.traders.makers.count")
STRATEGY = "scenario.traders.levered.strategy"
PENALTY = "scenario.margin.cross.penalty_rate"


def toy(points: list[dict[str, Any]], *, failed: int = 0) -> Run:
    return cast(Run, ToyRun(Path("nowhere"), failed=failed, points=points))


def third(run: Run) -> Source:
    return list(sources(run))[2]


def drawn(run: Run, name: str = "design") -> Drawing:
    (found,) = (d for d in drawings(run, (name,)) if d.name.startswith(name))
    assert isinstance(found, Drawing)
    return found


def test_a_number_with_three_values_is_an_axis() -> None:
    prepared = drawn(toy([{FUND: fund} for fund in FUNDS])).prepared
    frame = prepared.frames["design"]
    shares = frame.filter(outcome="share_accounts_liquidated", arm="cross")
    assert shares["x"].to_list() == list(FUNDS)
    assert shares["mid"].to_list() == pytest.approx([0.11] * 3)
    assert shares["n"].to_list() == [REPLICATES] * 3
    assert shares["panel"].unique().to_list() == ["A alone 10 %"]
    assert str(prepared.labels[FUND]) == "Insurance fund before the first step\u00a0(USD)"


def test_probabilities_have_wilson_intervals() -> None:
    frame = drawn(toy([{FUND: fund} for fund in FUNDS])).prepared.frames["design"]
    crossed = frame.filter(outcome="crossed", arm="isolated")
    assert crossed["mid"].to_list() == [0.0] * 3
    assert crossed["high"].to_list() == pytest.approx([0.5615] * 3, abs=1e-4)


def test_what_changes_in_step_is_one_factor_and_crowds_are_counted() -> None:
    points = [{COUNTS[0]: 3 * n, COUNTS[1]: n, FUND: 1e5 * n} for n in (1, 2, 4)]
    drawing = drawn(toy(points))
    frame = drawing.prepared.frames["design"]
    assert frame["factor"].unique().to_list() == ["n_traders"]
    assert sorted(frame["x"].unique()) == [4.0, 8.0, 16.0]
    assert "with the number of traders changes insurance fund" in drawing.caption.lower()
    assert "100 k to 400 k USD" in drawing.caption


def test_money_of_unequal_crowds_is_per_trader() -> None:
    run = toy([{COUNTS[0]: 3 * n, COUNTS[1]: n} for n in (1, 2, 4)])
    run.study["scenario"]["market"]["shocks"]["first"]["assets"] = ["A", "B"]
    prepared = drawn(run).prepared
    loss = prepared.frames["design"].filter(outcome="system_loss_usd", arm="cross")["mid"]
    assert loss[0] > 0
    assert loss.to_list() == pytest.approx([loss[0], loss[0] / 2, loss[0] / 4])
    assert "per trader" in str(prepared.labels["system_loss_usd"])


def test_two_values_are_rows_named_by_their_parameters() -> None:
    points = [
        {PENALTY: p, STRATEGY: {"kind": k}} for p in (0.01, 0.02) for k in ("passive", "noise")
    ]
    drawing = drawn(toy(points))
    rows = drawing.prepared.frames["design"]["row"].unique(maintain_order=True).to_list()
    kinds = ("passive", "noise")
    assert rows == [f"penalty rate {p}\nlevered: {k}" for p in ("0.01", "0.02") for k in kinds]
    assert "penalty rate: " in drawing.caption.lower()


def test_the_size_of_the_shock_is_the_axis_where_it_has_most_values() -> None:
    points = [{FALL: f, FUND: fund} for fund in FUNDS[:2] for f in (0.1, 0.2, 0.4)]
    frame = drawn(toy(points)).prepared.frames["design"]
    assert sorted(frame["x"].unique()) == [0.1, 0.2, 0.4]
    assert frame["panel"].unique(maintain_order=True).to_list() == [
        "A alone, insurance fund usd 100 k USD",
        "A alone, insurance fund usd 1 m USD",
    ]


def test_sampled_points_have_a_panel_for_every_number() -> None:
    values = [(0.01, 3e5), (0.02, 1e5), (0.03, 2e5), (0.04, 5e5)]
    run = toy([{PENALTY: p, FUND: fund} for p, fund in values])
    run.study["designs"]["third"]["points"] = {"latin_hypercube": {"samples": 4}}
    frame = drawn(run).prepared.frames["design"]
    assert frame["factor"].unique(maintain_order=True).to_list() == [PENALTY, FUND]
    assert frame.group_by("factor", "outcome", "arm").len()["len"].unique().to_list() == [4]


def test_differences_are_laid_out_in_the_same_way() -> None:
    run = toy([{FUND: fund} for fund in FUNDS])
    run.study["designs"].pop("shock_response")
    drawing = drawn(run, "differences")
    frame = drawing.prepared.frames["differences"]
    assert frame["contrast"].unique().to_list() == ["cross - isolated"]
    assert frame["x"].unique().sort().to_list() == list(FUNDS)
    share = drawing.prepared.labels["share_accounts_liquidated"]
    assert str(share).endswith("(%\u00a0points)")
    assert drawing.draw().axes


def test_a_design_of_shocks_alone_is_left_to_the_response() -> None:
    run = toy([{FUND: fund} for fund in FUNDS])
    assert factors(third(run))
    run.study["designs"].pop("third")
    (found,) = drawings(run, ("design",))
    assert isinstance(found, Absent)
    assert found.reason == "only shocks and shares of cross margin vary, which other figures show"


def test_shares_of_cross_margin_under_several_arms_are_shown_here() -> None:
    share = "scenario.margin_mode.cross_share"
    run = toy([{share: s, FALL: f} for s in (0.2, 0.8) for f in FALLS])
    frame = drawn(run).prepared.frames["design"]
    assert frame["row"].unique(maintain_order=True).to_list() == [
        "cross share 20 %",
        "cross share 80 %",
    ]
    assert frame["panel"].unique(maintain_order=True).to_list() == [
        "A alone 10 %",
        "A alone 20 %",
    ]
    assert set(frame["arm"]) == {"isolated", "cross"}


def test_a_shock_of_one_size_has_a_row_in_place_of_an_axis() -> None:
    run = toy([{FUND: FUNDS[0]}])
    run.study["designs"].pop("shock_response")
    drawing = drawn(run, "response")
    frame = drawing.prepared.frames["response"]
    assert frame["row"].unique().to_list() == [""]
    assert frame["panel"].unique().to_list() == ["A alone 10 %"]
    assert frame.filter(pl.col("mid").is_not_null()).height
    assert drawing.draw().axes


def test_several_shocks_are_named_with_their_sizes() -> None:
    run = toy([{FUND: fund} for fund in FUNDS])
    run.study["scenario"]["market"]["shocks"]["later"] = {"assets": ["B"], "fall": 0.3}
    names = third(run).patterns
    assert names == ["first 10 %, later 30 %"]
