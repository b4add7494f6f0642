"""A run becomes figures, tables and a page: what it carries is drawn, the rest is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from stresslab.core.errors import ConfigError, DamagedResultsError, StorageError
from stresslab.report import figure, render
from stresslab.report.drawing import Drawing, drawings
from stresslab.report.figures import FIGURES, waterfall
from stresslab.report.figures.importance import FOLDER
from stresslab.report.html import Absent
from stresslab.report.missing import NotInRun
from stresslab.report.source import sources
from stresslab.results.run import Run
from tests.contract.report.samples import left_out
from tests.contract.report.toy_run import REPLICATES, ToyRun


def toy(path: Path, **changes: Any) -> Run:
    return cast(Run, ToyRun(path, **changes))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawing | Absent]:
    run = toy(tmp_path_factory.mktemp("run"))
    leave_out(run)
    return {drawing.name: drawing for drawing in drawings(run)}


def leave_out(run: Run) -> None:
    """Put the tables of one cell's removals where `stresslab importance` writes them."""
    folder = run.path / FOLDER
    folder.mkdir()
    for name, frame in left_out(4).frames.items():
        frame.write_parquet(folder / f"{run.outcomes['cell'][0]}_{name}.parquet")


def frames(found: dict[str, Drawing | Absent], name: str) -> dict[str, pl.DataFrame]:
    drawing = found[name]
    assert isinstance(drawing, Drawing)
    return dict(drawing.prepared.frames)


def test_every_figure_is_drawn_when_the_run_carries_it(found: dict[str, Drawing | Absent]) -> None:
    assert set(FIGURES) <= set(found)
    assert not [f for f in found.values() if isinstance(f, Absent)]


def test_a_design_that_varies_more_than_a_figure_shows_is_left_out(
    found: dict[str, Drawing | Absent],
) -> None:
    assert "response" in found
    assert "response_share_sweep" not in found
    assert cast(Drawing, found["phase"]).source.design == "share_sweep"


def test_captions_name_design_replicates_seed_cells_and_failures(
    found: dict[str, Drawing | Absent],
) -> None:
    for drawing in found.values():
        assert isinstance(drawing, Drawing)
        for words in (drawing.source.design, f"{REPLICATES} replicates of seed 7", "cells in"):
            assert words in drawing.caption
    assert "1 failed" in cast(Drawing, found["response"]).caption
    assert "95 % Student interval" in cast(Drawing, found["response"]).caption


def test_the_parts_of_the_loss_sum_to_the_total(found: dict[str, Drawing | Absent]) -> None:
    frame = frames(found, "waterfall")["waterfall"]
    for _, bars in frame.group_by("pattern", "arm"):
        ordered = bars.sort(pl.col("component") == "total")
        *parts, total = ordered["amount"].to_list()
        assert total > 0
        assert sum(parts) == pytest.approx(total, rel=1e-12)


def test_the_hand_computed_cascade_is_drawn_as_computed(found: dict[str, Drawing | Absent]) -> None:
    cascade = frames(found, "cascade")
    layers = dict(cascade["nodes"].select("node", "layer").rows())
    assert layers == {"0": 0, "1": 1, "2": 2, "3": 2}
    edges = cascade["edges"].select("source", "target", "share").rows()
    assert edges == [("0", "1", 1.0), ("1", "2", 1.0), ("1", "3", 0.5)]
    held = dict(cascade["nodes"].select("node", "held_shocked").rows())
    assert held == {"0": True, "1": True, "2": False, "3": True}


def test_matrices_hold_what_the_cascade_says(found: dict[str, Drawing | Absent]) -> None:
    frame = frames(found, "contagion_matrix")["contagion_matrix"].filter(arm="cross")
    values = {(a, b): v for a, b, v in frame.select("source", "target", "value").rows()}
    assert values["A", "B"] == 4_000
    assert values["B", "B"] == 2_760


def test_what_a_run_does_not_carry_is_named_with_a_reason(tmp_path: Path) -> None:
    run = toy(tmp_path, with_map=False)
    run.study["designs"].pop("share_sweep")
    absent = {a.name: a.reason for a in drawings(run) if isinstance(a, Absent)}
    assert set(absent) == {"phase", "liquidation_map", "importance"}
    assert "does not vary" in absent["phase"]


def test_a_run_without_a_shock_shows_what_happened_in_it(tmp_path: Path) -> None:
    run = toy(tmp_path)
    run.study["scenario"]["market"]["shocks"] = {}
    for overrides in run.resolved["scenarios"]:
        overrides.pop("scenario.market.shocks.first.fall")
    run.study["designs"].pop("share_sweep")
    found = {d.name: d for d in drawings(run)}
    assert isinstance(found["response"], Absent)
    assert "has a shock" in found["response"].reason
    for name in ("cascade", "path"):
        drawing = found[name]
        assert isinstance(drawing, Drawing)
        assert "no shock" in drawing.caption
        assert drawing.draw().axes


def test_a_run_in_which_nothing_finished_has_a_page_without_figures(tmp_path: Path) -> None:
    run = toy(tmp_path, failed=1000)
    page = render(run, tmp_path)
    assert all(isinstance(d, Absent) for d in drawings(run))
    text = page.read_text()
    assert "<img" not in text
    assert text.count("<li><b>") == len(FIGURES)
    assert "Cells that failed" in text


def test_a_run_of_one_replicate_has_tables_without_intervals(tmp_path: Path) -> None:
    run = toy(tmp_path, failed=0)
    undefined = pl.lit(None, pl.Float64).alias("crossed")
    run.outcomes = run.outcomes.filter(replicate=1).with_columns(undefined)  # type: ignore[misc]
    run.study["report"]["figures"] = ["response"]
    text = render(run, tmp_path).read_text()
    assert "Headline" in text
    assert "20.0 %" in text or "22.0 %" in text


def test_the_page_holds_figures_tables_failures_and_repeats_its_bytes(tmp_path: Path) -> None:
    names = ("response", "phase")
    pages = []
    for folder in ("a", "b"):
        run = toy(tmp_path / folder)
        run.study["report"]["figures"] = list(names)
        lines: list[str] = []
        pages.append(render(run, tmp_path / folder, lines.append))
        assert len(lines) == 2
    one, two = (
        {p.relative_to(page.parent): p.read_bytes() for p in page.parent.rglob("*") if p.is_file()}
        for page in pages
    )
    assert len(one) >= 15
    assert one == two
    text = pages[0].read_text()
    assert text.count("<img") == 2
    for words in ("Toy study", "Headline", "Cells that failed", "no market", "Replicates saved"):
        assert words in text
    for link in re.findall(r"href='([^#'][^']*)'", text):
        assert (tmp_path / "a" / link).is_file()


def test_a_figure_can_be_asked_for_by_name(tmp_path: Path) -> None:
    assert figure(toy(tmp_path), "response").axes
    with pytest.raises(ConfigError, match="unknown, allowed are response"):
        figure(toy(tmp_path), "respones")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("in the way")
    run = toy(tmp_path)
    run.study["report"]["figures"] = ["response"]
    with pytest.raises(StorageError, match="cannot be written"):
        render(run, tmp_path)


def test_sizes_and_matrices_take_every_replicate(found: dict[str, Drawing | Absent]) -> None:
    sizes = frames(found, "ccdf")["ccdf"].filter(measure="accounts", arm="cross")
    assert sizes["size"].to_list() == [4.0]  # one tree of four accounts in each run
    assert sizes["trees"].to_list() == [REPLICATES]
    assert sizes.select("at_least", "low", "high").row(0) == (1.0, 1.0, 1.0)
    matrix = frames(found, "contagion_matrix")["contagion_matrix"].filter(arm="cross")
    assert set(matrix["n"]) == {REPLICATES}
    assert matrix["low"].to_list() == matrix["value"].to_list()


def test_a_run_made_before_long_tables_says_so(tmp_path: Path) -> None:
    def refuse(table: str, cells: list[str]) -> pl.DataFrame:
        raise ConfigError(f"cell {cells[0]} was made before long tables were kept")

    run = toy(tmp_path)
    leave_out(run)
    run.long = refuse  # type: ignore[method-assign,assignment]
    absent = {a.name: a.reason for a in drawings(run) if isinstance(a, Absent)}
    assert set(absent) == {"ccdf", "contagion_matrix"}
    assert all("before long tables" in reason for reason in absent.values())


def test_a_damaged_long_table_is_no_reason_to_go_on(tmp_path: Path) -> None:
    def damage(table: str, cells: list[str]) -> pl.DataFrame:
        raise DamagedResultsError("a file is damaged")

    run = toy(tmp_path)
    run.long = damage  # type: ignore[method-assign,assignment]
    with pytest.raises(DamagedResultsError):
        render(run, tmp_path)


def test_losses_of_a_replayed_index_need_no_shock(tmp_path: Path) -> None:
    source = next(sources(toy(tmp_path)))
    rows = source.done.filter(pl.col("x") == pl.col("x").max())
    replayed = rows.with_columns(
        pattern=pl.lit("replayed index"), n_shocked=pl.lit(0, pl.Int64), x=pl.lit(None, pl.Float64)
    )
    vars(source)["done"] = replayed.filter(point=replayed["point"][0])

    found = waterfall.prepare(source)

    assert found.frames["waterfall"]["amount"].max() > 0
    assert found.frames["waterfall"]["pattern"].unique().to_list() == ["replayed index"]
    assert "Losses (replayed index), valued at the index" in found.caption
    with pytest.raises(NotInRun, match="has a shock"):
        source.shocked()
