"""How long a command takes to answer: `--help`, `check`, `status` (floor 0.25 s, aim 0.12 s)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOOR = 0.25  # seconds
AIM = 0.12
REPEATS = 7


def _seconds(*arguments: str) -> float:
    """Return the median wall time of a command, bytecode compiled as after an installation."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        command = [sys.executable, "-m", "stresslab.cli", *arguments]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    command = [sys.executable, "-m", "stresslab.cli", "run", "configs/demo.yaml", "--small"]
    subprocess.run([*command, "--out", str(folder)], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    "arguments", [("--help",), ("check", "configs/demo.yaml"), ("run", "--help")], ids=" ".join
)
def test_command_answers_at_once(arguments: tuple[str, ...]) -> None:
    seconds = _seconds(*arguments)
    print(f"\n{' '.join(arguments)}: {seconds:.3f} s (floor {FLOOR}, aim {AIM})")
    assert seconds < FLOOR


def test_status_answers_at_once(finished_run: Path) -> None:
    seconds = _seconds("status", str(finished_run))
    print(f"\nstatus: {seconds:.3f} s (floor {FLOOR}, aim {AIM})")
    assert seconds < FLOOR
