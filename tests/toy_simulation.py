"""What stands for the model in tests of the runner: quick, deterministic, and told to misbehave."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from stresslab.core.events import FLOAT, SMALL, TABLES, TEXT

Tables = dict[str, dict[str, np.ndarray]]


def simulate(scenario: dict[str, Any], seed: int, replicate: int, folder: Path) -> Any:
    """Return tables and outcomes that depend on all inputs; ``feedback`` tells how to end."""
    fall = scenario["shocks"]["first"]["fall"] if scenario["shocks"] else 0.0
    count = scenario["traders"]["levered"]["count"]
    if fall == 0.66:
        raise ValueError("no market at a fall of 0.66")
    if fall == 0.99:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(scenario["duration_seconds"] / 1000)
    rng = np.random.Generator(np.random.Philox(key=seed * 1000 + replicate))
    tables = {name: _table(name, rng, count) for name in TABLES}
    loss = float(np.sum(rng.normal(size=count))) * fall
    return tables, {"loss_usd": loss, "n_liquidations": count, "undefined": float("nan")}


def _table(name: str, rng: np.random.Generator, n_rows: int) -> dict[str, np.ndarray]:
    return {c.name: _column(c.type, rng, n_rows) for c in TABLES[name]}


def _column(kind: str, rng: np.random.Generator, n_rows: int) -> np.ndarray:
    if kind == TEXT:
        return np.array(["isolated", "cross"], dtype=object)[rng.integers(0, 2, n_rows)]
    if kind == FLOAT:
        return rng.normal(size=n_rows)
    return rng.integers(-9, 9, n_rows).astype(np.int32 if kind == SMALL else np.int64)
