"""Leaving out one by one: the table is what twins say, and the files are there."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from stresslab.api import open_run
from stresslab.cli import main
from stresslab.contagion.twins import compare
from stresslab.experiment.importance import replicates_of
from stresslab.experiment.twins import Changes, run_twins


def test_removals_are_what_twins_say(spoilable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = open_run(spoilable)
    fell = run.outcomes.filter(status="done", arm="cross").sort("n_accounts_liquidated")
    cell = fell["cell"][-1]
    arguments = ["importance", str(spoilable), "--cell", cell, "--top", "2", "--workers", "1"]
    capsys.readouterr()

    assert main([*arguments, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    rows = {(row["kind"], row["name"]): row for row in told["removals"]}
    assert len(rows) == 2 + 2 + 4 and fell["n_accounts_liquidated"][-1] > 5
    account = next(int(name) for kind, name in rows if kind == "account")
    for key, change in (
        (("account", str(account)), {"remove": [account]}),
        (("asset", "BTC"), {"quiet_assets": ["BTC"]}),
    ):
        twins = run_twins(run, cell, Changes(change))
        found = compare(twins.original, twins.twin)
        assert rows[key]["saved"] == (found.saved != account).sum(), key
        assert rows[key]["felled"] == found.felled.size
    assert sum(row["saved"] for row in rows.values()) > 0
    assert [row["forecast"] for row in told["forecasts"]][:2] == ["shadow", "shadow_in_turn"]
    assert [row["saved"] for row in told["effects"]] == [row["saved"] for row in rows.values()]
    assert all(row["n_replicates"] == 1 for row in told["forecasts"])
    kept = pl.read_parquet(spoilable / "importance" / f"{cell}_removals.parquet")
    assert kept["saved"].to_list() == [row["saved"] for row in told["removals"]]
    assert (spoilable / "importance" / f"{cell}.png").stat().st_size > 10_000


def test_replicates_are_those_of_one_arm_and_point(spoilable: Path) -> None:
    run = open_run(spoilable)
    first = run.outcomes.filter(replicate=0, status="done")["cell"][0]
    found = replicates_of(run, first, 99)
    rows = run.design.filter(pl.col("cell").is_in(found))
    assert found[0] == first and rows["replicate"].to_list() == list(range(len(found)))
    assert len(found) > 1 and rows.drop("cell", "replicate").n_unique() == 1
    assert replicates_of(run, found[1], 99) == found[1:]
    assert replicates_of(run, first, 1) == [first]
