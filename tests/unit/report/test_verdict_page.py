"""The page of verdicts is written from the last run of every experiment, and tells its size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stresslab.core.errors import ConfigError
from stresslab.report.verdict_page import write_page
from stresslab.validation.experiments import EXPERIMENTS


def verdict(name: str, **changes: Any) -> dict[str, Any]:
    check = {"what": "mean | spread", "measured": 3.4, "expected": 3.5, "tolerance": 0.5,
             "unit": "points", "level": 0.0005, "p": 0.25, "power": "9 throws find 2",
             "verdict": "pass"}  # fmt: skip
    distance = {"what": "tail", "measured": 0.5, "low": 1.0, "high": 2.0, "unit": "",
                "distance": 0.5, "interval": None}  # fmt: skip
    missed = {**check, "what": "spread", "measured": 9.5, "p": 1e-5, "verdict": "fail"}
    repeated = {**distance, "what": "fall", "interval": [0.4, 0.625]}
    return {
        "name": name, "title": f"About {name}", "claim": "It is so.", "size": "full",
        "verdict": "pass", "judged": True, "level_of_all_seeds": 0.002, "drawn_numbers": 20,
        "outside_their_99.9_%_band": 1, "checks": [check],
        "distances": [distance, repeated],
        "outside": [{"under": "further seed 3", **missed}],
        "further_seeds": [{"seed": 5, "verdict": "pass", "failed": []},
                          {"seed": 6, "verdict": "pass", "failed": []},
                          {"seed": 7, "verdict": "fail", "failed": [missed]}],
        "control": {"is": "a loaded die", "failed": True, "checks": [check]}, **changes,
    }  # fmt: skip


def store(folder: Path, **changes: Any) -> None:
    for name in EXPERIMENTS:
        (folder / f"{name}.json").write_text(json.dumps(verdict(name, **changes)))


def test_every_experiment_has_a_row_and_a_table(tmp_path: Path) -> None:
    store(tmp_path)
    write_page(tmp_path, tmp_path / "docs" / "README.md")
    text = (tmp_path / "docs" / "README.md").read_text()
    for name in EXPERIMENTS:
        cells = f"About {name} | full | 1 of 1 | 3 of 4 | fails, as it must | pass |"
        assert f"| [{name}]({name}.md) | {cells}" in text
        assert f"\n## {name}\n" in text
    row = "| mean \\| spread | 3.4 points | 3.5 | 0.5 | 0.0005 | 0.25 | 9 throws find 2 | pass |"
    assert row in text
    assert "| tail | 0.5 | 1 to 2 | 0.5 |" in text
    assert "| fall | 0.5 [0.4, 0.625] | 1 to 2 | 0.5 |" in text
    assert "Fails under further seed 3: spread 9.5 points against 3.5 ± 0.5.\n" in text
    assert "band: further seed 3, spread 9.5 points against 3.5 ± 0.5, p 1e-05.\n" in text
    n = len(EXPERIMENTS)
    assert f"under all seeds add up to {0.002 * n:.2g}:" in text
    assert f"Outside their 99.9 % band lie {n} of {20 * n} drawn numbers, all seeds." in text
    assert "Not run" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_what_was_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no verdicts"):
        write_page(tmp_path, tmp_path / "README.md")
    store(tmp_path)
    last = next(reversed(EXPERIMENTS))
    (tmp_path / f"{last}.json").unlink()
    write_page(tmp_path, tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text()
    assert f"Not run when this page was written: [{last}]({last}.md)." in text


def test_a_quick_run_is_called_one(tmp_path: Path) -> None:
    store(tmp_path, size="quick", judged=False)
    write_page(tmp_path, tmp_path / "README.md")
    assert "| quick | 1 of 1 | 3 of 4 | none | report |" in (tmp_path / "README.md").read_text()
