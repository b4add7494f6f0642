"""Summaries, contrasts, ratios, thresholds and the headline on frames written by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest

from stresslab.analysis import (
    amplification,
    branching,
    ccdf,
    contrasts,
    headline,
    headline_text,
    points,
    probabilities,
    summarise,
    tail_means,
    thresholds,
    variance_reduction,
)
from tests.unit.analysis.outcome_frames import arms, cell, frame

DEPTH, CROSSED, SHARE = "depth", "crossed", "share_accounts_liquidated"


def test_points_are_what_is_neither_place_nor_outcome() -> None:
    assert points(frame(cell(0, depth=1))) == ["fall", "assets"]


def test_a_summary_counts_what_is_defined() -> None:
    rows = arms("generations", cross=[1.0, 3.0, math.nan, None], isolated=[2.0, 2.0, 2.0, 2.0])
    found = summarise(rows, ["generations"])
    assert found["arm"].to_list() == ["cross", "isolated"]
    assert found["n"].to_list() == [2, 4]
    assert found["n_undefined"].to_list() == [2, 0]
    assert found["mean"].to_list() == [2.0, 2.0]
    assert found["deviation"].to_list() == [pytest.approx(math.sqrt(2)), 0.0]
    assert found.row(1, named=True)["low"] == found.row(1, named=True)["high"] == 2.0
    assert found.row(0, named=True)["q25"] == 1.5


def test_failed_and_unfinished_cells_are_left_out() -> None:
    rows = frame(cell(0, depth=4), cell(1, depth=100, status="failed"), cell(2, status=None))
    assert summarise(rows, [DEPTH])["mean"].to_list() == [4.0]


def test_nothing_finished_gives_an_empty_table_of_the_same_columns() -> None:
    rows = frame(cell(0, depth=1), cell(1, depth=2))
    none = rows.with_columns(status=pl.lit("failed"))
    for make in (
        lambda f: summarise(f, [DEPTH]),
        lambda f: probabilities(f, [DEPTH]),
        lambda f: contrasts(f, [DEPTH], "cross", "isolated"),
        lambda f: thresholds(f, "fall", DEPTH),
    ):
        assert make(none).height == 0
        assert make(none).schema == make(rows).schema


def test_undefined_everywhere_is_null() -> None:
    row = summarise(arms("generations", cross=[math.nan]), ["generations"]).row(0, named=True)
    assert row["n"] == 0
    assert row["mean"] is row["low"] is row["median"] is None


def test_bootstrap_and_tail_means() -> None:
    rows = arms(DEPTH, cross=[float(value) for value in range(20)])
    row = summarise(rows, [DEPTH], interval="bootstrap").row(0, named=True)
    assert row["low"] < row["mean"] == 9.5 < row["high"]
    tail = tail_means(rows, [DEPTH], share=0.1).row(0, named=True)
    assert tail["tail_mean"] == 18.5
    assert tail["low"] < 18.5


def test_probabilities_have_wilson_intervals() -> None:
    rows = arms(CROSSED, cross=[1.0] * 10 + [0.0] * 10, isolated=[0.0] * 20)
    found = probabilities(rows, [CROSSED])
    assert found["successes"].to_list() == [10, 0]
    assert found["probability"].to_list() == [0.5, 0.0]
    assert found["low"].to_list() == [pytest.approx(0.2993, abs=1e-4), 0.0]
    assert probabilities(rows, [CROSSED], above=1.0)["successes"].to_list() == [0, 0]


def test_pairs_are_compared_replicate_by_replicate() -> None:
    """The arms share +100, +200, +300; cross is 1, 2, 3 above isolated."""
    rows = arms(DEPTH, isolated=[100.0, 200.0, 300.0], cross=[101.0, 202.0, 303.0])
    row = contrasts(
        rows.sample(fraction=1, shuffle=True, seed=1), [DEPTH], "cross", "isolated"
    ).row(0, named=True)
    assert row["contrast"] == "cross - isolated"
    assert (row["n"], row["difference"]) == (3, 2.0)
    assert row["low"] == pytest.approx(2 - 4.3026527 / math.sqrt(3))
    assert (row["mean_first"], row["mean_second"]) == (202.0, 200.0)
    assert row["variance_ratio"] == pytest.approx(1 / (10_000 + 10_201))


def test_pairs_need_both_sides() -> None:
    rows = arms(DEPTH, isolated=[1.0, 2.0, math.nan], cross=[5.0, math.nan, 1.0, 7.0])
    row = contrasts(rows, [DEPTH], "cross", "isolated").row(0, named=True)
    assert (row["n"], row["n_undefined"], row["difference"]) == (1, 2, 4.0)
    assert row["low"] is None
    assert contrasts(arms(DEPTH, cross=[1.0]), [DEPTH], "cross", "isolated").height == 0


def test_controls_are_contrasted_within_their_arm() -> None:
    rows = frame(
        *(
            cell(replicate, arm=arm, control=control, depth=value + replicate)
            for arm, control, value in [
                ("cross", "feedback", 5),
                ("cross", "no_feedback", 2),
                ("isolated", "feedback", 3),
                ("isolated", "no_feedback", 3),
            ]
            for replicate in range(3)
        )
    )
    found = contrasts(rows, [DEPTH], "feedback", "no_feedback", side="control")
    assert found["arm"].to_list() == ["cross", "isolated"]
    assert found["difference"].to_list() == [3.0, 0.0]
    assert found["variance_ratio"].to_list() == [0.0, 0.0]


def test_variance_reduction_pools_the_points() -> None:
    rows = frame(
        *(
            cell(
                replicate,
                fall=fall,
                arm=arm,
                depth=scale * replicate + (arm == "cross") * replicate,
            )
            for fall, scale in ((0.1, 3), (0.2, 1))
            for arm in ("cross", "isolated")
            for replicate in range(3)
        )
    )
    row = variance_reduction(rows, [DEPTH], "cross", "isolated").row(0, named=True)
    assert row["points"] == 2
    assert row["variance_ratio"] == pytest.approx((1 + 1) / ((9 + 16) + (1 + 4)))
    assert row["replicates_saved"] == pytest.approx(15.0)


def test_branching_is_a_ratio_of_sums() -> None:
    names = ("branching_numerator", "branching_denominator")
    first = {"branching_first_numerator_usd": 0.0, "branching_first_denominator_usd": 0.0}
    rows = frame(
        *(
            cell(
                replicate,
                **{f"{names[0]}_usd": part, f"{names[1]}_usd": whole},
                **{f"{names[0]}_count": part / 10, f"{names[1]}_count": int(whole / 10)},
                **first,
            )
            for replicate, (part, whole) in enumerate([(0.0, 10.0), (90.0, 100.0), (0.0, 0.0)])
        )
    )
    found = branching(rows)
    assert found["unit"].to_list() == ["notional", "count", "first_generation"]
    assert found["ratio"].to_list() == [pytest.approx(90 / 110), pytest.approx(9 / 11), None]
    assert found["low"][0] < 90 / 110 < found["high"][0]


def test_amplification_is_with_feedback_over_without() -> None:
    rows = frame(
        *(
            cell(replicate, control=control, forced_notional_usd=value, system_loss_usd=value)
            for control, values in {
                "feedback": [3.0, 6.0, 9.0],
                "no_feedback": [1.0, 2.0, 6.0],
            }.items()
            for replicate, value in enumerate(values)
        )
    )
    found = amplification(rows)
    assert found["outcome"].to_list() == ["forced_notional_usd", "system_loss_usd"]
    assert found["ratio"].to_list() == [2.0, 2.0]
    assert found["contrast"][0] == "feedback / no_feedback"
    assert found["low"][0] < 2.0 < found["high"][0]
    assert amplification(rows.filter(pl.col("control") == "feedback")).height == 0


def crossing(*by_replicate: list[float]) -> pl.DataFrame:
    return frame(
        *(
            cell(replicate, fall=fall, crossed=value)
            for replicate, values in enumerate(by_replicate)
            for fall, value in zip((0.1, 0.2, 0.3), values, strict=True)
        )
    )


def test_the_threshold_is_where_crossing_begins_for_good() -> None:
    rows = crossing([0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0])
    row = thresholds(rows, "fall").row(0, named=True)
    assert (row["n"], row["threshold"], row["share_never"]) == (3, 0.2, 0.0)


def test_replicates_that_never_cross_are_beyond_the_grid() -> None:
    rows = crossing(*([0.0, 0.0, 0.0] for _ in range(5)), *([0.0, 1.0, 1.0] for _ in range(4)))
    row = thresholds(rows, "fall").row(0, named=True)
    assert row["threshold"] is None
    assert row["low"] == 0.2
    assert row["high"] is None
    assert row["share_never"] == 5 / 9


def test_where_crossing_is_no_question_there_is_no_threshold() -> None:
    nan = math.nan
    row = thresholds(crossing([nan, nan, nan]), "fall").row(0, named=True)
    assert (row["n"], row["threshold"], row["share_never"]) == (0, None, None)
    row = thresholds(crossing([nan, 1.0, 1.0]), "fall").row(0, named=True)
    assert (row["n"], row["threshold"]) == (1, 0.2)


def study() -> pl.DataFrame:
    return frame(
        *(
            cell(
                replicate,
                fall=fall,
                assets=assets,
                arm=arm,
                control=control,
                share_accounts_liquidated=0.1 * fall + 0.01 * replicate + 0.02 * (arm == "cross"),
                crossed=math.nan if assets == "all" else float(arm == "cross" and fall > 0.1),
            )
            for fall in (0.2, 0.1)
            for assets in ("BTC", "all")
            for arm in ("cross", "isolated", "choice")
            for control in ("feedback", "no_feedback")
            for replicate in range(4)
        )
    )


def test_the_headline_has_every_point_arm_and_contrast_once() -> None:
    found = headline(study(), ["isolated", "cross"])
    assert found.height == 2 * 2 * 5
    assert found.columns[:3] == ["design", "fall", "assets"]
    head = found.head(5)
    assert head["fall"].unique().to_list() == [0.1]
    assert head["quantity"].to_list() == [SHARE, SHARE, CROSSED, CROSSED, "difference"]
    assert head["of"].to_list() == ["isolated", "cross", "isolated", "cross", "cross - isolated"]
    differences = found.filter(quantity="difference")
    assert differences["mid"].to_list() == [pytest.approx(0.02)] * 4
    assert differences["n"].to_list() == [4] * 4
    crossed = found.filter(quantity=CROSSED, of="cross")
    assert crossed["mid"].to_list() == [0.0, None, 1.0, None]


def test_the_headline_can_be_read() -> None:
    text = headline_text(headline(study(), ["isolated", "cross"]))
    assert text.height == 4
    row = text.filter(fall=0.2, assets="BTC").row(0, named=True)
    assert row["crossed: cross"] == "100.0 % [51.0, 100.0]"
    assert row["difference: cross - isolated"] == "+2.0 % [+2.0, +2.0]"
    assert text.filter(fall=0.2, assets="all")["crossed: cross"].to_list() == ["–"]


def test_no_number_reads_as_minus_nothing() -> None:
    rows = headline(study(), ["isolated", "cross"]).with_columns(low=pl.lit(-1e-4))
    texts = headline_text(rows)["share_accounts_liquidated: cross"].to_list()
    assert any("[0.0, " in text for text in texts)
    assert not any("-0.0" in text for text in texts)


def test_order_of_rows_changes_no_table() -> None:
    rows = study()
    mixed = rows.sample(fraction=1, shuffle=True, seed=9)
    assert rows["cell"].to_list() != mixed["cell"].to_list()
    for make in (
        lambda f: summarise(f, [SHARE, CROSSED], interval="bootstrap"),
        lambda f: headline(f, ["isolated", "cross"]),
        lambda f: contrasts(f, [SHARE], "cross", "choice"),
        lambda f: thresholds(f, "fall"),
        lambda f: ccdf(f, SHARE),
    ):
        assert make(rows).height > 0
        assert make(rows).equals(make(mixed))


def test_the_distribution_counts_runs_of_size_zero() -> None:
    found = ccdf(arms(DEPTH, cross=[0.0, 2.0, 2.0, 5.0]), DEPTH)
    assert found["size"].to_list() == [2.0, 5.0]
    assert found["at_least"].to_list() == [0.75, 0.25]
    assert (found["low"] < found["at_least"]).all()
    assert (found["at_least"] < found["high"]).all()


def test_a_design_that_does_not_vary_a_path_has_null_there() -> None:
    rows = frame(
        *(cell(replicate, depth=1.0) for replicate in range(2)),
        *(cell(replicate, design="sweep", fall=None, depth=3.0) for replicate in range(2)),
    )
    found = summarise(rows, [DEPTH])
    assert found["design"].to_list() == ["response", "sweep"]
    assert found["mean"].to_list() == [1.0, 3.0]
    assert thresholds(rows, "fall", DEPTH)["design"].to_list() == ["response"]
