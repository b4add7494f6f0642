"""What commands print and return."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import networkx
import polars as pl
import pytest

from stresslab.api import open_run
from stresslab.cli import commands, main
from stresslab.cli.results import KINDS
from stresslab.results.files import sha256
from stresslab.results.records import Record, pack_record, unpack_record
from stresslab.results.run import Run

CONFIG = str(Path(__file__).parents[2] / "data" / "two_assets.yaml")

Captured = pytest.CaptureFixture[str]


def test_check_says_what_would_run(capsys: Captured) -> None:
    assert main(["check", CONFIG]) == 0

    said = capsys.readouterr().out
    assert "sound" in said
    assert "4 cells = 1 points x 2 arms (isolated, cross) x 1 controls (feedback)" in said
    assert "several designs" not in said


def test_check_says_that_shared_cells_run_once(capsys: Captured) -> None:
    assert main(["check", str(Path(__file__).parents[3] / "configs" / "demo.yaml")]) == 0

    assert "a cell that stands in several designs runs once" in capsys.readouterr().out


def test_small_is_the_quick_form_of_the_config(capsys: Captured) -> None:
    assert main(["check", CONFIG, "--small"]) == 0

    assert "2 cells" in capsys.readouterr().out


def test_faults_of_a_config_are_named_without_a_traceback(capsys: Captured) -> None:
    assert main(["check", CONFIG, "--set", "scenario.duration_second=5", "--set", "seed=-1"]) == 2

    said = capsys.readouterr().err
    assert "did you mean 'scenario.duration_seconds'" in said
    assert "seed" in said
    assert "Traceback" not in said


def test_a_finished_run_is_not_run_again(finished: Path, capsys: Captured) -> None:
    before = {path: path.stat().st_mtime_ns for path in (finished / "outcomes").iterdir()}
    capsys.readouterr()

    assert main(["run", CONFIG, "--out", str(finished)]) == 0

    said = capsys.readouterr().out
    assert "4 of 4 cells were finished before" in said
    assert f"next: stresslab report {finished}" in said
    kept = {path: path.stat().st_mtime_ns for path in (finished / "outcomes").glob("*.json")}
    assert len(kept) == 4
    assert kept.items() <= before.items()


def test_a_shard_is_a_part_that_a_whole_run_gathers(tmp_path: Path, capsys: Captured) -> None:
    arguments = ["run", CONFIG, "--workers", "1", "--out", str(tmp_path / "run")]

    assert main([*arguments, "--shard", "2/2"]) == 0
    assert "2 of 4 cells done, 0 failed, 2 to come" in capsys.readouterr().out

    assert main(arguments) == 0
    assert "2 of 4 cells were finished before" in capsys.readouterr().out
    assert main([*arguments, "--shard", "3/2"]) == 2


def test_arms_of_the_small_study_differ(finished: Path) -> None:
    outcomes = Run(finished).outcomes.group_by("arm").agg(pl.col("n_liquidations").sum())
    counts = dict(outcomes.rows())

    assert min(counts.values()) > 0
    assert counts["cross"] != counts["isolated"]


def test_status_in_words_and_as_json(finished: Path, capsys: Captured) -> None:
    assert main(["status", str(finished)]) == 0
    assert "4 of 4 cells done, 0 failed, 0 to come" in capsys.readouterr().out

    assert main(["status", str(finished), "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["total"], state["done"], state["is_complete"]) == (4, 4, True)


def test_damaged_results_are_exit_code_3(spoilable: Path, capsys: Captured) -> None:
    record = next((spoilable / "outcomes").glob("*.json"))
    record.write_bytes(record.read_bytes().replace(b"1", b"2", 1))

    assert main(["status", str(spoilable)]) == 3

    assert record.name in capsys.readouterr().err


def test_failed_cells_are_exit_code_1_and_say_how_to_see_why(
    tmp_path: Path, capsys: Captured
) -> None:
    poor = "scenario.traders.house.wealth.amount_usd=10"
    arguments = ["run", CONFIG, "--small", "--set", poor, "--out", str(tmp_path / "poor")]

    assert main(arguments) == 1

    said = capsys.readouterr().out
    assert "2 failed" in said
    assert f"stresslab reproduce {tmp_path / 'poor'} --cell " in said


def test_a_cell_is_made_again_byte_for_byte(finished: Path, capsys: Captured) -> None:
    cell = Run(finished).cells[0]

    assert main(["reproduce", str(finished), "--cell", cell[:6]]) == 0

    assert "1 of 1 cells are equal" in capsys.readouterr().out


def test_a_cell_that_comes_out_differently_is_exit_code_3(
    spoilable: Path, capsys: Captured
) -> None:
    path = next((spoilable / "outcomes").glob("*.json"))
    record = unpack_record(path.read_bytes(), path.name)
    changed = {**record.outcomes, "n_liquidations": 10_000}
    other = Record(record.cell, record.status, changed, record.events_sha256)
    path.write_bytes(pack_record(other))

    assert main(["reproduce", str(spoilable), "--cell", record.cell]) == 3

    said = capsys.readouterr().out
    assert "n_liquidations" in said
    assert "0 of 1 cells are equal" in said


@pytest.mark.parametrize("kind", KINDS)
def test_graphs_are_written_for_other_programs(finished: Path, tmp_path: Path, kind: str) -> None:
    cell, file = Run(finished).with_events()[0], tmp_path / "graph.graphml"
    arguments = ["export", str(finished), "--cell", cell, "--kind", kind, "--out", str(file)]

    assert main([*arguments, "--graph", "graphml"]) == 0

    written, expected = networkx.read_graphml(file), open_run(finished).graph(cell, kind)
    assert written.number_of_nodes() > 0
    assert set(written.nodes) == set(map(str, expected.nodes))
    assert written.number_of_edges() == expected.number_of_edges()
    columns = tmp_path / "edges.parquet"
    arguments = ["export", str(finished), "--cell", cell, "--kind", kind, "--out", str(columns)]
    assert main([*arguments, "--graph", "parquet"]) == 0
    if kind != "bipartite":
        assert pl.read_parquet(columns).height == expected.number_of_edges()


def test_every_form_of_a_graph_is_written_into_the_run(spoilable: Path, capsys: Captured) -> None:
    cell = Run(spoilable).with_events()[0]
    for form in ("graphml", "gexf", "json", "parquet"):
        assert main(["export", str(spoilable), "--cell", cell, "--graph", form]) == 0

    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert {path.suffix for path in written} == {".graphml", ".gexf", ".json", ".parquet"}
    edges = pl.read_parquet(written[-1])
    assert edges.columns == ["source", "target", "share", "adl_share", "amount_usd", "is_principal"]
    first = {path: sha256(path.read_bytes()) for path in written}
    for form in ("graphml", "gexf", "json", "parquet"):
        main(["export", str(spoilable), "--cell", cell, "--graph", form])
    assert {path: sha256(path.read_bytes()) for path in written} == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "no/such/folder"], "no folder of a run"),
        (["report", "."], "holds no run"),
        (["nonsense"], "No such command"),
        (["export", "."], "Missing option"),
        (["check"], "Missing argument"),
        (["run", CONFIG, "--workers", "0"], "--workers"),
        (["check", "no_such_file.yaml"], "no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_used_is_exit_code_2(
    arguments: list[str], words: str, capsys: Captured
) -> None:
    assert main(arguments) == 2

    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_an_unknown_cell_is_exit_code_2(finished: Path, capsys: Captured) -> None:
    assert main(["reproduce", str(finished), "--cell", "zz"]) == 2

    assert "'zz'" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_shows_an_example(name: str, capsys: Captured) -> None:
    assert main([name, "--help"]) == 0

    said = capsys.readouterr().out
    assert f"Example:\n    stresslab {name} " in said or f"Example:\n    stresslab {name}\n" in said


def test_interrupted_run_is_exit_code_130_and_goes_on(tmp_path: Path) -> None:
    long = ["--set", "designs.shock.replicates=400", "--workers", "1"]
    command = [sys.executable, "-m", "stresslab.cli", "run", CONFIG, "--out", str(tmp_path / "run")]
    with subprocess.Popen([*command, *long], stderr=subprocess.PIPE, text=True) as process:
        _wait_for_a_cell(tmp_path / "run" / "outcomes")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    n_done = Run(tmp_path / "run").status().done
    assert 0 < n_done < 800


def _wait_for_a_cell(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob("*.json")):
        assert time.monotonic() < deadline, "no cell was finished in two minutes"
        time.sleep(0.05)


def test_list_names_configs_and_runs(
    finished: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mine.yaml").write_text("title: Mine\n")
    (tmp_path / "runs").mkdir()
    os.symlink(finished, tmp_path / "runs" / "two_assets")
    monkeypatch.chdir(tmp_path)

    assert main(["list"]) == 0

    said = capsys.readouterr().out
    assert "configs/mine.yaml  Mine" in said
    assert "runs/two_assets  4 of 4 cells" in said


def test_list_names_interchangeable_parts(capsys: Captured) -> None:
    assert main(["list", "parts"]) == 0

    said = capsys.readouterr().out
    assert "scenario.market.book: limit_order_book" in said
    assert "strategy: market_maker" in said
    assert "figure: response" in said
    assert "graph: bipartite" in said


def test_schema_is_json(capsys: Captured) -> None:
    assert main(["schema"]) == 0

    properties = json.loads(capsys.readouterr().out)["properties"]
    assert {"name", "scenario", "designs"} <= set(properties)
