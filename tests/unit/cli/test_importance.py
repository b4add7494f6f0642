"""Leaving out one by one: the table is what twins say, and the files are there."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from stresslab.api import open_run
from stresslab.cli import main
from stresslab.contagion.twins import compare
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
    kept = pl.read_parquet(spoilable / "importance" / f"{cell}_removals.parquet")
    assert kept["saved"].to_list() == [row["saved"] for row in told["removals"]]
    assert (spoilable / "importance" / f"{cell}.png").stat().st_size > 10_000
